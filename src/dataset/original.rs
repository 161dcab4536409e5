//! MNIST as it was published: where it is served, and how its four files are recognised.

use crate::dataset::Kind;

/// Where MNIST is served: each address, with a file's name and `.gz` after it.
pub const MIRRORS: [&str; 2] = [
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
];

/// A file that is known beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its standard name, without `.gz`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// How many images or labels.
    pub items: u32,
    /// The sha256 of its uncompressed content, in lower-case hex. (Mirrors compress differently.)
    pub sha256: &'static str,
}

/// The four files of MNIST.
pub const MNIST: [Expected; 4] = [
    Expected {
        name: "train-images-idx3-ubyte",
        kind: Kind::Images,
        items: 60_000,
        sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    Expected {
        name: "train-labels-idx1-ubyte",
        kind: Kind::Labels,
        items: 60_000,
        sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    Expected {
        name: "t10k-images-idx3-ubyte",
        kind: Kind::Images,
        items: 10_000,
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    Expected {
        name: "t10k-labels-idx1-ubyte",
        kind: Kind::Labels,
        items: 10_000,
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
];
