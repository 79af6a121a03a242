//! The provisioning service: gallery, jobs, plan, cycles, links, logs and the SCIM client.
