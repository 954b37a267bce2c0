//! The replay engine from outside: histories in, actions out. One behaviour a file.

mod activities;
mod script;
