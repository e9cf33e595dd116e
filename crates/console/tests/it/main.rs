//! Stories of the pages, without a browser.
