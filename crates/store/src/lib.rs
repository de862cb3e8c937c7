//! Persistence: resources, versions, indexes and attachments in a relational store
