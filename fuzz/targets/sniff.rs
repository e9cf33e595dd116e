//! Any bytes and name: what is guessed is at least worth a try.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8])| {
    let (name, bytes) = input;
    let guesses = importers::sniff(bytes, Some(name));
    assert!(guesses.windows(2).all(|pair| pair[0].1 >= pair[1].1), "best first: {guesses:?}");
    for (format, _) in guesses {
        fuzz::check(format, bytes);
    }
});
