//! Holds the catalogue to itself and to the pages.
