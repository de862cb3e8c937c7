//! The web pages for people, thin
