//! Reads Rust as the compiler does: comments are gone, test modules are left out, and what remains
//! are literals, names and calls.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::File;

/// A token that a rule may look at.
pub(crate) enum Token {
    /// An identifier.
    Name(String),
    /// The value of a string literal.
    Text(String),
}

/// A call of `Type::function("first argument", …)`.
pub(crate) struct Call {
    pub(crate) owner: String,
    pub(crate) function: String,
    pub(crate) text: String,
}

/// Names and strings of the product code in `file`, without attributes and `#[cfg(test)]` items.
pub(crate) fn tokens(file: &File) -> Vec<Token> {
    let mut found = Vec::new();
    flatten(&product(file), &mut |token| match token {
        TokenTree::Ident(name) => found.push(Token::Name(name.to_string())),
        TokenTree::Literal(literal) => found.extend(string(&literal.to_string()).map(Token::Text)),
        _ => {}
    });
    found
}

/// Every `Owner::function("text"` in the product code of `file`.
pub(crate) fn calls(file: &File) -> Vec<Call> {
    let mut found = Vec::new();
    groups(&product(file), &mut |tokens| {
        for window in tokens.windows(5) {
            let [
                TokenTree::Ident(owner),
                TokenTree::Punct(one),
                TokenTree::Punct(two),
                TokenTree::Ident(function),
                TokenTree::Group(group),
            ] = window
            else {
                continue;
            };
            let first = group.stream().into_iter().next();
            if let (':', ':', Delimiter::Parenthesis, Some(TokenTree::Literal(literal))) =
                (one.as_char(), two.as_char(), group.delimiter(), first)
                && let Some(text) = string(&literal.to_string())
            {
                found.push(Call { owner: owner.to_string(), function: function.to_string(), text });
            }
        }
    });
    found
}

/// `(trait, value)` of every `const NAME: &'static str = "value"` inside `impl trait for …`.
pub(crate) fn named_implementations(file: &File) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for item in items(file) {
        let syn::Item::Impl(block) = item else { continue };
        let Some((_, path, _)) = &block.trait_ else { continue };
        let Some(segment) = path.segments.last() else { continue };
        for part in &block.items {
            if let syn::ImplItem::Const(constant) = part
                && constant.ident == "NAME"
                && let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &constant.expr
            {
                found.push((segment.ident.to_string(), text.value()));
            }
        }
    }
    found
}

/// What the types of `file` are called in the description of the API: their own name, or that of `#[schema(as = …)]`.
pub(crate) fn schemas(file: &File) -> Vec<String> {
    let mut found = Vec::new();
    for item in items(file) {
        let (name, attributes) = match item {
            syn::Item::Struct(item) => (item.ident, item.attrs),
            syn::Item::Enum(item) => (item.ident, item.attrs),
            syn::Item::Macro(item) if item.mac.path.segments.last().is_some_and(|name| name.ident == "words") => {
                found.extend(words(item.mac.tokens));
                continue;
            }
            _ => continue,
        };
        let text = |attribute: &syn::Attribute| attribute.meta.require_list().map(|list| list.tokens.to_string()).unwrap_or_default();
        if attributes.iter().any(|attribute| attribute.path().is_ident("derive") && text(attribute).contains("ToSchema")) {
            let other =
                attributes.iter().filter(|attribute| attribute.path().is_ident("schema")).find_map(|attribute| renamed(&text(attribute)));
            found.push(other.unwrap_or_else(|| name.to_string()));
        }
    }
    found
}

/// The types that `words!` declares: a name, a comma, a string.
fn words(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let mut other = None;
    for (index, token) in tokens.iter().enumerate() {
        match (token, tokens.get(index + 1), tokens.get(index + 2)) {
            (TokenTree::Punct(mark), Some(TokenTree::Group(group)), _) if mark.as_char() == '#' => {
                let text = group.stream().to_string();
                other = text.strip_prefix("schema").and_then(renamed).or(other);
            }
            (TokenTree::Ident(name), Some(TokenTree::Punct(comma)), Some(TokenTree::Literal(_))) if comma.as_char() == ',' => {
                found.push(other.take().unwrap_or_else(|| name.to_string()));
            }
            _ => {}
        }
    }
    found
}

/// The name in `as = Name`.
fn renamed(attribute: &str) -> Option<String> {
    let (_, name) = attribute.split_once("as = ")?;
    Some(name.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect())
}

/// The items of `file` with those of its inline modules, without `#[cfg(test)]` ones.
pub(crate) fn items(file: &File) -> Vec<syn::Item> {
    let parsed = syn::parse_file(&file.text).unwrap_or_else(|error| panic!("{}: {error}", file.path));
    let mut found = Vec::new();
    collect(parsed.items, &mut found);
    found
}

fn collect(items: Vec<syn::Item>, found: &mut Vec<syn::Item>) {
    for item in items {
        match item {
            syn::Item::Mod(module) if is_test(&module.attrs) => {}
            syn::Item::Mod(syn::ItemMod { content: Some((_, inner)), .. }) => collect(inner, found),
            other => found.push(other),
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string().contains("test"))
    })
}

/// The token tree of `file` with attributes (so also doc comments) and `#[cfg(test)]` items removed.
fn product(file: &File) -> TokenStream {
    let stream: TokenStream = file.text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.path));
    without_tests(stream)
}

fn without_tests(stream: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = stream.into_iter().peekable();
    let mut skipping = false;
    while let Some(token) = tokens.next() {
        if let TokenTree::Punct(punct) = &token
            && punct.as_char() == '#'
        {
            if matches!(tokens.peek(), Some(TokenTree::Punct(bang)) if bang.as_char() == '!') {
                tokens.next();
            }
            if let Some(TokenTree::Group(attribute)) = tokens.next_if(|next| matches!(next, TokenTree::Group(_))) {
                let text = attribute.stream().to_string();
                skipping |= text.starts_with("cfg") && text.contains("test");
            }
            continue;
        }
        let ends_item = match &token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            _ => false,
        };
        if skipping {
            skipping = !ends_item;
            continue;
        }
        kept.push(match token {
            TokenTree::Group(group) => TokenTree::Group(proc_macro2::Group::new(group.delimiter(), without_tests(group.stream()))),
            other => other,
        });
    }
    kept.into_iter().collect()
}

fn flatten(stream: &TokenStream, visit: &mut impl FnMut(&TokenTree)) {
    groups(stream, &mut |tokens| tokens.iter().for_each(&mut *visit));
}

/// Calls `visit` with the tokens of `stream` and of every group inside it.
fn groups(stream: &TokenStream, visit: &mut impl FnMut(&[TokenTree])) {
    let tokens: Vec<TokenTree> = stream.clone().into_iter().collect();
    visit(&tokens);
    for token in &tokens {
        if let TokenTree::Group(group) = token {
            groups(&group.stream(), visit);
        }
    }
}

fn string(literal: &str) -> Option<String> {
    syn::parse_str::<syn::LitStr>(literal).ok().map(|text| text.value())
}
