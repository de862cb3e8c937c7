//! The flows of the volets, through the router, on a real store in a directory of its own.

mod house;

mod crud;
mod negotiation;
