//! Networks on their way to other tools and back, logs for other tools, and weights to begin with; with the real tools at the other end where they are.

mod export;
mod import;
mod init;
mod pictures;
mod tensorboard;
mod tools;
