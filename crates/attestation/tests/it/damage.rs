//! Laws that hold for any bytes: nothing panics, nothing cut short is read, nothing untrusted is verified.

use attestation::android::{self, Policy, read_extension};
use attestation::apple::{self, AssertionPolicy, AttestationPolicy};
use attestation::{Certificate, play};
use proptest::prelude::*;

use crate::forge::Description;
use crate::moment;

proptest! {
    #[test]
    fn an_extension_cut_short_or_continued_is_an_error(cut in 0usize..330, tail in 1u8..) {
        let whole = Description::honest().der();
        prop_assert!(read_extension(&whole).is_ok());
        prop_assert!(read_extension(&whole[..cut.min(whole.len() - 1)]).is_err());
        prop_assert!(read_extension(&[&whole[..], &[tail]].concat()).is_err());
    }

    #[test]
    fn an_extension_with_one_changed_byte_is_an_error_or_says_something_else(at in 0usize..330, change in 1u8..) {
        let mut bytes = Description::honest().der();
        let before = read_extension(&bytes);
        let at = at % bytes.len();
        bytes[at] ^= change;
        let after = read_extension(&bytes);
        prop_assert!(after.is_err() || after != before);
    }

    #[test]
    fn random_bytes_are_never_verified(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let at = moment("2025-01-01T00:00:00Z");
        prop_assert!(!android::verify(&bytes, &Policy::at(at)).is_verified());
        prop_assert!(!apple::verify_attestation(&bytes, &AttestationPolicy::at(at)).is_verified());
        prop_assert!(!apple::verify_assertion(&bytes, &AssertionPolicy::at(at)).is_verified());
        prop_assert!(!play::verify(&bytes, &play::Policy::at(at)).is_verified());
        prop_assert!(Certificate::from_der(&bytes).is_err());
    }
}
