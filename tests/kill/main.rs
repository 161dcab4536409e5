//! Kills the program at seeded random moments, starts it again until its work is done, and compares
//! every file with what it leaves undisturbed.
//!
//! `KILLS=50 cargo test --release --test kill -- --nocapture` kills each kind of work 50 times and
//! says where the kills fell; without `KILLS` it is a few. `SEED=N` chooses other moments.
#![cfg(unix)]

mod compare;
mod life;
mod timeless;
mod train;
