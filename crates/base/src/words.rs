//! Enums whose values are words: of JSON, of tables, of forms and of command lines.

/// Declares enums of words with `ALL`, `as_str`, `Display` and `FromStr`, for JSON and OpenAPI too. Each is named with what it is called
/// where it is asked for; another word is refused by the function in front, which gets that, the word, and those known.
///
/// ```ignore
/// words! {
///     errors::word;
///     /// How a bell rings.
///     Ring, "/ring" {
///         /// Once.
///         Short = "short",
///         /// Until somebody comes.
///         Long = "long",
///     }
/// }
/// ```
#[macro_export]
macro_rules! words {
    ($refuse:path; $(
        $(#[$about:meta])* $name:ident, $what:literal { $($(#[$doc:meta])* $variant:ident = $text:tt),+ $(,)? }
    )+) => { $(
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        $(#[$about])*
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The text form used in JSON and tables.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::Error;

            fn from_str(text: &str) -> $crate::Result<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| $refuse($what, text, &[$($text),+]))
            }
        }
    )+ };
}
