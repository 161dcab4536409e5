//! The command line's types; what they do is in [`crate::commands`].

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::dataset::Published;
use crate::engine::Backend;
use crate::interchange::export::ExportFormat;

/// Train, evaluate and use digit classifiers on MNIST.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

// What is said of a command stands above its arguments, where that is more than a line.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train the network of a recipe
    Train(TrainArgs),
    /// Measure trained networks on labelled digits
    Eval(EvalArgs),
    Predict(PredictArgs),
    Compare(CompareArgs),
    /// Write the report of a run, finished or not, into its folder
    Report(ReportArgs),
    /// Write a trained network for other tools
    Export(ExportArgs),
    Import(ImportArgs),
    Serve(ServeArgs),
    /// Download, verify or show the MNIST files
    Data(DataArgs),
    /// List the built-in recipes, or print one
    Recipes {
        /// The recipe to print
        name: Option<String>,
    },
    /// Print a completion script for a shell
    Completions {
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub struct TrainArgs {
    /// A recipe file, or the name of a built-in recipe (see `mnistctl recipes`)
    #[arg(long, value_name = "RECIPE", required_unless_present = "resume")]
    pub config: Option<String>,
    /// The backend to compute with [default: native, or that of the resumed run]
    #[arg(long, value_enum)]
    pub backend: Option<Backend>,
    /// A folder with the four MNIST files, `sample` (5,000 digits inside this program), or
    /// `auto`: $MNISTCTL_DATA, data/mnist, the cache, a download [default: auto]
    #[arg(long)]
    pub data: Option<String>,
    /// The run's folder [default: runs/NAME, runs/NAME-2, ...]
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    pub out: Option<PathBuf>,
    /// Train this many epochs instead of the recipe's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub epochs: Option<u64>,
    /// Use this seed instead of the recipe's
    #[arg(long, value_name = "N", conflicts_with = "resume",
          value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Use only the first N training images after shuffling, and N/4 (at least 250) test images
    #[arg(long, value_name = "N", conflicts_with = "resume",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Threads for the CPU backends [default: the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Resume the run in this folder
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,
    /// Save the state to resume from this often, not only after each epoch; 0 saves after each
    /// batch
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub save_every: u64,
    /// Change a value of the recipe, such as `optimizer.lr=0.1`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", conflicts_with = "resume")]
    pub overrides: Vec<String>,
    /// Begin with the weights of this checkpoint, or of `handwriting`, the network that this program
    /// carries, instead of random ones; where the last linear layer differs, that one begins afresh
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub init: Option<PathBuf>,
    /// Also write an event file for TensorBoard into the run's folder; a resumed run goes on with it
    #[arg(long)]
    pub tensorboard: bool,
    /// Save and stop when standard input ends, whose other end `compare` holds
    #[arg(long, hide = true)]
    pub until_stdin_ends: bool,
}

#[derive(Debug, Args)]
pub struct EvalArgs {
    /// A checkpoint; several are used as an ensemble (mean of probabilities) [default: the network
    /// that this program carries]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub checkpoint: Vec<PathBuf>,
    /// The images to measure on; `train` and `val` are split as by the first checkpoint's recipe
    #[arg(long, value_enum, default_value_t = SplitName::Test)]
    pub split: SplitName,
    /// The backend to compute with
    #[arg(long, value_enum, default_value_t = Backend::Native)]
    pub backend: Backend,
    /// The digits: a folder, `sample` or `auto`, as for `train`
    #[arg(long, default_value = "auto")]
    pub data: String,
    /// Print JSON only
    #[arg(long)]
    pub json: bool,
    /// Also write a page with the confusion matrix and the surest mistakes: DIR/report.html, with
    /// its pictures as SVG and PNG
    #[arg(long, value_name = "DIR")]
    pub report: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SplitName {
    Test,
    Val,
    Train,
}

/// Read the digits in pictures
///
/// Prints a line for each picture: its name, the digit, and how probable it is; `unsure` if the
/// probability is below 80 %. A picture that cannot be read is reported on standard error; the
/// others are still read, and the exit code is then 1.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// A checkpoint; several (each after a --checkpoint) are used as an ensemble (mean of
    /// probabilities) [default: the network that this program carries]
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Vec<PathBuf>,
    /// Pictures of one digit each (PNG, JPEG, GIF, BMP, WebP, TIFF or PNM), folders of them, or `-`
    /// for standard input
    #[arg(value_name = "IMAGE|DIR|-", required = true)]
    pub images: Vec<PathBuf>,
    /// Read all digits of each picture: a number on a line, or lines of them
    #[arg(long, conflicts_with = "top")]
    pub many: bool,
    /// Print one JSON object for each picture, and nothing else
    #[arg(long)]
    pub json: bool,
    /// Show what the network saw, and a bar for each digit (no bars with --many)
    #[arg(long, conflicts_with = "json")]
    pub show: bool,
    /// Write the 28x28 pixels that the network saw into this folder, as PNG
    #[arg(long, value_name = "DIR")]
    pub save: Option<PathBuf>,
    /// List the K most probable digits
    #[arg(long, value_name = "K", default_value_t = 1, conflicts_with = "json",
          value_parser = clap::value_parser!(u8).range(1..=10))]
    pub top: u8,
}

/// Train several recipes, values and seeds, and compare them
///
/// Each run is made by a `mnistctl train` of its own, in a folder of its own inside --out; one that
/// fails leaves the others. The same command again skips the runs that are complete, goes on with
/// those that were interrupted, and trains the rest. To train them elsewhere, as on a cluster,
/// start the lines that --dry-run prints, and collect them with the same command without it.
///
/// Prints a table, and writes comparison.html, comparison.json, comparison.csv and the charts into
/// --out.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Recipe files, folders of recipe files, names of built-in recipes, or of groups of them
    #[arg(value_name = "RECIPE", required = true)]
    pub recipes: Vec<String>,
    /// Train every recipe with each of these values, such as `optimizer.lr=0.1,0.01`; several
    /// sweeps are combined
    #[arg(long = "sweep", value_name = "KEY=V1,V2")]
    pub sweeps: Vec<String>,
    /// Train everything N times, with seeds 0 to N-1 [default: once, with the recipe's seed]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub seeds: Option<u64>,
    /// Train this many epochs instead of the recipes'
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub epochs: Option<u64>,
    /// Train N runs at a time, each with its share of the cores; runs side by side slow each other
    /// down, which their times include
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: u16,
    /// The folder of all runs [default: runs/compare-RECIPES-KEYS, the same for the same arguments]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The digits: a folder, `sample` or `auto`, as for `train`
    #[arg(long)]
    pub data: Option<String>,
    /// Use only the first N training images after shuffling, and N/4 (at least 250) test images
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// The backend to compute with [default: native]
    #[arg(long, value_enum)]
    pub backend: Option<Backend>,
    /// Threads for each run [default: the number of cores divided by --jobs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Save the state to resume from this often in each run, as for `train` [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub save_every: Option<u64>,
    /// Print the command of each run that is not complete, and train nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The run's folder, which report.html and its pictures (SVG and PNG) are written to
    #[arg(value_name = "RUN_DIR")]
    pub run: PathBuf,
    /// The digits it was trained on: a folder, `sample` or `auto` [default: where they were then]
    #[arg(long)]
    pub data: Option<String>,
}

/// Draw digits in the browser, and see a network read them
///
/// Prints the address of the page, and answers until Ctrl-C. Only this machine can reach it, unless
/// --host says otherwise. Everything the page needs is inside of this program; programs can ask the same
/// server (docs/serve.md).
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// A checkpoint; several can be compared on the page, beside the network that this program carries
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub checkpoint: Vec<PathBuf>,
    /// The folder whose runs are shown, and whose networks can be chosen
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs: PathBuf,
    /// The port to listen on; 0 takes any that is free
    #[arg(long, value_name = "N", default_value_t = 7878)]
    pub port: u16,
    /// The address to listen on, such as 0.0.0.0 for all; others than this machine's own need a --token
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// What everybody who asks has to know, at least 16 characters: open http://ADDRESS/?token=T, or
    /// send `Authorization: Bearer T`
    #[arg(long, value_name = "T")]
    pub token: Option<String>,
    /// Open the page in the browser
    #[arg(long)]
    pub open: bool,
    /// Keep pictures whose digit somebody has corrected on the page in this folder, for `data import`
    #[arg(long, value_name = "DIR")]
    pub collect: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A checkpoint; several become one ensemble (mean of probabilities) with --format onnx [default:
    /// the network that this program carries]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub checkpoint: Vec<PathBuf>,
    /// What to write
    #[arg(long, value_enum)]
    pub format: ExportFormat,
    /// The file, or for `pytorch` the folder, to write [default: beside the checkpoint, with its name]
    #[arg(long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Make batch normalisation part of the layers before it (onnx only)
    #[arg(long)]
    pub fold: bool,
}

/// Make a checkpoint of weights that were trained elsewhere
///
/// Takes safetensors, or what PyTorch's `torch.save(model.state_dict(), FILE)` wrote; nothing in the
/// file is executed. Names as an nn.Sequential of the recipe's layers gives them are taken as they
/// are; other names are matched by order and shape, and the match is printed.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// The weights
    #[arg(value_name = "WEIGHTS")]
    pub weights: PathBuf,
    /// The recipe with the network's layers: a file, or the name of a built-in recipe
    #[arg(long, value_name = "RECIPE")]
    pub config: String,
    /// The checkpoint to write [default: WEIGHTS with the ending .mpk]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Change a value of the recipe, such as `data.normalize.mean=0.5`; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

#[derive(Debug, Args)]
pub struct DataArgs {
    #[command(subcommand)]
    pub action: DataAction,
}

#[derive(Debug, Subcommand)]
pub enum DataAction {
    /// Download MNIST into the user's cache folder, where `--data auto` finds it, or another dataset
    /// of its form
    Download {
        /// What to download
        #[arg(value_enum, default_value_t)]
        dataset: Published,
    },
    /// Compare the files of a dataset with the originals
    Verify {
        /// What they should be
        #[arg(value_enum, default_value_t)]
        dataset: Published,
        /// The files' folder, or `auto`
        #[arg(long, default_value = "auto")]
        data: String,
    },
    /// Count the digits of each class, and show some of them
    Show {
        /// The digits: a folder, `sample` or `auto`, as for `train`
        #[arg(long, default_value = "auto")]
        data: String,
        /// Also write a PNG with 16 digits of each class to this file
        #[arg(long, value_name = "FILE.png")]
        out: Option<PathBuf>,
    },
    Import(DataImportArgs),
}

/// Make a dataset of your own pictures
///
/// Each picture of one digit is read as `predict` reads it, and the 28x28 pixels that the network would
/// see become MNIST's four files in --output, for `train --data DIR`; `digits.png` there shows some. A
/// picture that cannot be read, or shows the same as one before it, is named and left out; the exit
/// code is then 1.
#[derive(Debug, Args)]
pub struct DataImportArgs {
    /// A folder with a subfolder of pictures for each digit, `0` to `9`, or with pictures and a
    /// `labels.csv`: a line `file,label`, then one for each picture
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// The folder to write, which must be new or empty
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
    /// The share of each digit's pictures that are kept to test with
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share)]
    pub split: f64,
}

/// More than 0 and less than 1.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok();
    let share = share.filter(|&share: &f64| share > 0.0 && share < 1.0);
    share.ok_or_else(|| "it must be a number greater than 0 and less than 1".to_string())
}
