//! Attribute mappings, their expression language and scoping filters. Pure: the clock and randomness are arguments.
