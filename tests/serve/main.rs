//! `mnistctl serve`, the real program on a real port: what a page, a program and an attacker see of it.

mod api;
mod browser;
mod client;
mod openapi;
mod runs;
mod safety;
mod shutdown;
