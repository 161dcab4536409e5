//! `mnistctl data`

use super::{Error, Status, print};
use crate::cli::{DataAction, DataArgs};
use crate::dataset::{DataArg, Places, verify};

pub fn run(args: &DataArgs) -> Result<Status, Error> {
    match &args.action {
        DataAction::Download => download(),
        DataAction::Verify { data } => verify_files(data),
    }
}

fn download() -> Result<Status, Error> {
    let folder = Places::of_user().download()?;
    print(&format!("MNIST is in {}\n", folder.display()))?;
    Ok(Status::Done)
}

fn verify_files(data: &str) -> Result<Status, Error> {
    let folder = match DataArg::from(data) {
        DataArg::Sample => {
            let message = "the sample is part of this program; there are no files to verify";
            return Err(Error::Usage(message.into()));
        }
        DataArg::Folder(folder) => folder,
        DataArg::Auto => match Places::of_user().find_existing()? {
            Some(folder) => folder,
            None => {
                let message = "MNIST is in none of the usual places; name its folder with \
                               --data, or run `mnistctl data download`";
                return Err(Error::Usage(message.into()));
            }
        },
    };
    let checks = verify(&folder)?;
    for check in &checks {
        print(&format!("{check}\n"))?;
    }
    match checks.iter().all(|check| check.is_ok()) {
        true => Ok(Status::Done),
        false => Ok(Status::PartlyFailed),
    }
}
