//! `mnistctl serve`

use std::net::SocketAddr;

use super::{Error, Status, print};
use crate::cli::ServeArgs;
use crate::interrupt;
use crate::serve::{Options, start};
use crate::terminal::note;

pub fn run(args: &ServeArgs) -> Result<Status, Error> {
    let server = start(Options {
        checkpoints: args.checkpoint.clone(),
        runs: args.runs.clone(),
        address: SocketAddr::new(args.host, args.port),
        token: args.token.clone(),
        collect: args.collect.clone(),
    })?;
    let _deferred = interrupt::defer();
    let address = server.address();
    print(&format!("http://{address}\n"))?;
    if !address.ip().is_loopback() {
        note(&format!(
            "warning: whoever reaches this machine on port {} and knows the token can use this page. \
             What they send is not encrypted",
            address.port()
        ));
    }
    note("Ctrl-C ends the server");
    if args.open {
        let token = args.token.iter().map(|token| format!("?token={token}"));
        let page = format!("http://{address}/{}", token.collect::<String>());
        if let Err(error) = open::that_detached(page) {
            note(&format!("warning: no browser could be opened: {error}"));
        }
    }
    server.run();
    Ok(Status::Interrupted)
}
