//! The demo: two villages, two farmers, their agents and real work, on one machine.
//!
//! In scope: starting the programs as separate processes with databases in one folder, playing the
//! story of a farmer who is followed from another village, asserting each step through the public
//! HTTP interfaces, and killing programs at random moments to count the books afterwards.
//!
//! Out of scope: building the programs (`make demo` does), any knowledge of their insides: the demo
//! links none of them and sees what anybody can see.

pub mod agent;
pub mod alertmanager;
pub mod alerts;
pub mod args;
pub mod books;
pub mod cast;
pub mod faults;
pub mod folder;
pub mod github;
pub mod journal;
pub mod launch;
pub mod ports;
pub mod process;
pub mod run;
pub mod story;
pub mod tracker;
pub mod village;
pub mod wait;
pub mod web;
pub mod world;
