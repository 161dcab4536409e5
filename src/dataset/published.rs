//! MNIST and two sets of its form as they were published: where they are served, and how their four
//! files are recognised.

use std::fmt;

use clap::ValueEnum;

use crate::dataset::Kind;

/// A dataset that is known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Published {
    /// Handwritten digits
    #[default]
    Mnist,
    /// Fashion-MNIST: pictures of clothes (Xiao and others, 2017)
    Fashion,
    /// Kuzushiji-MNIST: Japanese letters written by hand (Clanuwat and others, 2018)
    Kmnist,
}

/// A file that is known beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its standard name, without `.gz`.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// How many images or labels.
    pub items: u32,
    pub sha256: Sha256,
}

/// What a file is recognised by, in lower-case hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sha256 {
    /// The sha256 of its uncompressed content. (Mirrors compress differently.)
    Content(&'static str),
    /// The sha256 of the `.gz` file, where no other has been published.
    Packed(&'static str),
}

impl fmt::Display for Published {
    /// What it is called.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Published::Mnist => "MNIST",
            Published::Fashion => "Fashion-MNIST",
            Published::Kmnist => "KMNIST",
        })
    }
}

impl Published {
    /// What a command line calls it, and the folder it has in the cache.
    pub fn word(self) -> &'static str {
        match self {
            Published::Mnist => "mnist",
            Published::Fashion => "fashion",
            Published::Kmnist => "kmnist",
        }
    }

    /// Where it is served: each address, with a file's name and `.gz` after it.
    pub fn mirrors(self) -> &'static [&'static str] {
        match self {
            Published::Mnist => &[
                "https://storage.googleapis.com/cvdf-datasets/mnist/",
                "https://ossci-datasets.s3.amazonaws.com/mnist/",
            ],
            Published::Fashion => &[
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
                "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            ],
            Published::Kmnist => &["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
        }
    }

    /// Its files: images and labels to train on, then to test with.
    pub fn files(self) -> [Expected; 4] {
        use Sha256::{Content, Packed};
        // Those of the packed files are TensorFlow Datasets'
        // (tensorflow_datasets/url_checksums/{fashion_mnist,kmnist}.txt).
        let [train_images, train_labels, test_images, test_labels] = match self {
            Published::Mnist => [
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ]
            .map(Content),
            Published::Fashion => [
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ]
            .map(Packed),
            Published::Kmnist => [
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ]
            .map(Packed),
        };
        let file = |name, kind, items, sha256| Expected {
            name,
            kind,
            items,
            sha256,
        };
        [
            file(
                "train-images-idx3-ubyte",
                Kind::Images,
                60_000,
                train_images,
            ),
            file(
                "train-labels-idx1-ubyte",
                Kind::Labels,
                60_000,
                train_labels,
            ),
            file("t10k-images-idx3-ubyte", Kind::Images, 10_000, test_images),
            file("t10k-labels-idx1-ubyte", Kind::Labels, 10_000, test_labels),
        ]
    }
}

impl Sha256 {
    /// 64 digits.
    pub fn text(self) -> &'static str {
        match self {
            Sha256::Content(text) | Sha256::Packed(text) => text,
        }
    }

    /// What it is the sha256 of, in messages.
    pub(super) fn of(self) -> &'static str {
        match self {
            Sha256::Content(_) => "its content",
            Sha256::Packed(_) => "the .gz file",
        }
    }
}
