//! SCIM 2.0 (RFC 7643, RFC 7644): schemas, filters, paths, PATCH, projection, messages. Pure: no HTTP, no SQL, no clock.
