//! HTTP edge: routes, extractors, error-to-status tables.
