//! The organisation's directory: users, groups, applications, assignments, imports.
