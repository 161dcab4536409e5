use super::*;
use crate::dataset::{Digits, Source, Split};
use crate::schema::Origin;
use toml::de::DeTable;

/// Every kind as often as not, with something to do.
const EVERYTHING: &str = r#"
    { kind = "european", p = 0.5 },
    { kind = "affine", degrees = 15, translate = [0.1, 0.1], scale = [0.8, 1.2], shear = 10 },
    { kind = "stretch", ratio = [0.8, 1.25], p = 0.5 },
    { kind = "elastic", p = 0.5 },
    { kind = "pen", width = [-1, 2], p = 0.5 },
    { kind = "breaks", p = 0.5 },
    { kind = "clutter", p = 0.5 },
    { kind = "downscale", scale = [0.4, 0.8], p = 0.5 },
    { kind = "refit", p = 0.5 },
    { kind = "random_erasing", p = 0.5, value = 1 },
"#;

/// What a recipe with these entries reads as.
fn list(entries: &str) -> Result<Vec<Transform>, String> {
    let text = format!("augment = [{entries}]");
    read_text(&text)
}

fn read_text(text: &str) -> Result<Vec<Transform>, String> {
    let origin = Origin {
        name: "mine.toml",
        text,
    };
    let table = DeTable::parse(text).unwrap();
    let section = Section::new(&origin, "the recipe", table.get_ref());
    read(&section).map_err(|error| error.to_string())
}

fn augment(entries: &str) -> Augment {
    Augment::new(&list(entries).unwrap()).unwrap()
}

fn digits() -> Digits {
    Source::Sample.load(Split::Train).unwrap().digits
}

fn varied(augment: &Augment, image: &[u8], word: u64) -> [u8; PIXELS] {
    // Not 0, so that what isn't written shows.
    let mut out = [77; PIXELS];
    augment.apply(image, (word % 10) as u8, Rng::new(5, &[word]), &mut out);
    out
}

#[test]
fn without_a_list_and_with_an_empty_one_nothing_is_done() {
    assert_eq!(read_text("").unwrap(), []);
    assert_eq!(list("").unwrap(), []);
    assert!(Augment::new(&[]).is_none());
}

#[test]
fn a_bare_word_asks_for_the_defaults_which_survive_being_written_out() {
    #[derive(Serialize)]
    struct Recipe {
        augment: Vec<Transform>,
    }
    let defaults = r#"
        { kind = "european", p = 0.5 },
        { kind = "affine", degrees = 0, translate = [0, 0], scale = [1, 1], shear = 0 },
        { kind = "stretch", ratio = [0.75, 1.3333333333333333], p = 1 },
        { kind = "elastic", alpha = 34, sigma = 4, p = 1 },
        { kind = "pen", width = [-1, 1], p = 1 },
        { kind = "breaks", count = 3, width = [0.5, 2], p = 0.5 },
        { kind = "clutter", count = 3, level = [0.1, 0.6], p = 0.5 },
        { kind = "downscale", scale = [0.35, 0.8], p = 0.5 },
        { kind = "refit", p = 1 },
        { kind = "random_erasing", p = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0 },
    "#;
    let words = format!("{:?}", Transform::KINDS);
    let augment = list(&words[1..words.len() - 1]).unwrap();
    assert_eq!(augment, list(defaults).unwrap());
    let kinds: Vec<&str> = augment.iter().map(Transform::kind).collect();
    assert_eq!(kinds, Transform::KINDS);
    for augment in [augment, list(EVERYTHING).unwrap()] {
        let recipe = Recipe { augment };
        let written = toml::to_string(&recipe).unwrap();
        assert_eq!(read_text(&written).unwrap(), recipe.augment);
    }
}

#[test]
fn the_order_is_the_lists_and_a_kind_may_come_twice() {
    let kinds = |entries: &str| {
        let list = list(entries).unwrap();
        list.iter().map(Transform::kind).collect::<Vec<_>>()
    };
    let found = kinds(r#""pen", { kind = "affine", degrees = 5 }, "pen""#);
    assert_eq!(found, ["pen", "affine", "pen"]);
    let digits = digits();
    let one_way = augment(r#""random_erasing", "elastic""#);
    let other_way = augment(r#""elastic", "random_erasing""#);
    let differ = |i: &usize| {
        let image = digits.image(*i);
        varied(&one_way, image, *i as u64) != varied(&other_way, image, *i as u64)
    };
    assert!((0..100).filter(differ).count() > 30);
}

#[test]
fn mistakes_are_refused_in_sentences() {
    for (entries, words) in [
        (
            "\"afine\"",
            "`kind` in transform 1, afine is `afine`, which is unknown; did you mean `affine`?",
        ),
        ("\"refit\", \"noise\"", "transform 2, noise"),
        ("{ degrees = 10 }", "transform 1 needs the key `kind`"),
        (
            "10",
            "has a whole number as transform 1; a transform is a name",
        ),
        (
            "{ kind = \"affine\", degree = 1 }",
            "unknown key `degree` in transform 1, affine; did you mean `degrees`?",
        ),
        (
            "{ kind = \"affine\", degrees = 200 }",
            "`degrees` in transform 1, affine must be between 0 and 180",
        ),
        ("{ kind = \"affine\", degrees = -1 }", "not -1"),
        ("{ kind = \"affine\", degrees = nan }", "must be finite"),
        (
            "{ kind = \"affine\", translate = 0.1 }",
            "must be a list of two numbers",
        ),
        (
            "{ kind = \"affine\", translate = [0.1, 1.5] }",
            "not [0.1, 1.5]",
        ),
        (
            "{ kind = \"affine\", translate = [nan, 0] }",
            "two fractions between 0 and 1",
        ),
        (
            "{ kind = \"affine\", scale = [1.1, 0.9] }",
            "the smaller one first, not [1.1, 0.9]",
        ),
        (
            "{ kind = \"affine\", scale = [0, 1] }",
            "must be two factors",
        ),
        (
            "{ kind = \"affine\", scale = [1, inf] }",
            "between 0.1 and 10",
        ),
        (
            "{ kind = \"affine\", shear = 61 }",
            "must be between 0 and 60",
        ),
        (
            "{ kind = \"elastic\", alpha = -1 }",
            "must be between 0 and 1000",
        ),
        (
            "{ kind = \"elastic\", sigma = 0 }",
            "must be greater than 0",
        ),
        ("{ kind = \"elastic\", sigma = 28.5 }", "at most 28 pixels"),
        (
            "{ kind = \"elastic\", p = 1.5 }",
            "`p` in transform 1, elastic must be a probability",
        ),
        (
            "{ kind = \"elastic\", P = 1 }",
            "unknown key `P` in transform 1, elastic",
        ),
        ("{ kind = \"european\", p = 2 }", "must be a probability"),
        (
            "{ kind = \"stretch\", ratio = [2, 1] }",
            "must be two factors",
        ),
        (
            "{ kind = \"pen\", width = [-5, 0] }",
            "two widths in pixels between -4 and 4",
        ),
        (
            "{ kind = \"pen\", width = 1 }",
            "must be a list of two numbers",
        ),
        ("{ kind = \"breaks\", count = 0 }", "between 1 and 100"),
        (
            "{ kind = \"breaks\", width = [0, 29] }",
            "two widths in pixels between 0 and 28",
        ),
        (
            "{ kind = \"downscale\", scale = [0.5, 1.5] }",
            "two factors between 0.1 and 1",
        ),
        ("{ kind = \"refit\", size = 20 }", "unknown key `size`"),
        (
            "{ kind = \"clutter\", level = [0, 255] }",
            "two levels from paper to ink between 0 and 1",
        ),
        (
            "{ kind = \"random_erasing\", p = -0.1 }",
            "must be a probability",
        ),
        (
            "{ kind = \"random_erasing\", scale = [0.5, 0.1] }",
            "not [0.5, 0.1]",
        ),
        (
            "{ kind = \"random_erasing\", scale = [0.5, 1.1] }",
            "fractions of the image's area",
        ),
        (
            "{ kind = \"random_erasing\", ratio = [0, 1] }",
            "two numbers between 0.01 and 100",
        ),
        (
            "{ kind = \"random_erasing\", value = 255 }",
            "between 0 (paper) and 1 (ink), not 255",
        ),
        (
            "{ kind = \"random_erasing\", value = \"random\" }",
            "must be a number",
        ),
    ] {
        let message = list(entries).unwrap_err();
        assert!(message.contains(words), "{entries}: {message}");
        // But for a missing key, which is nowhere.
        let placed = message.starts_with("mine.toml, line 1: ");
        assert!(placed || message.contains("needs the key"), "{message}");
    }
    let many = "\"refit\", ".repeat(MOST + 1);
    let message = list(&many).unwrap_err();
    assert!(message.contains("lists more than 100 transforms"));
}

#[test]
fn magnitudes_of_zero_leave_every_byte_as_it_is() {
    let never = r#"
        { kind = "european", p = 0 }, "affine", { kind = "stretch", p = 0 },
        { kind = "elastic", p = 0 }, { kind = "pen", p = 0 }, { kind = "breaks", p = 0 },
        { kind = "clutter", p = 0 }, { kind = "downscale", p = 0 }, { kind = "refit", p = 0 },
        { kind = "random_erasing", p = 0 },
    "#;
    let zero = r#"
        { kind = "affine" }, { kind = "stretch", ratio = [1, 1] }, { kind = "elastic", alpha = 0 },
        { kind = "affine" }, { kind = "elastic", alpha = 0 },
        { kind = "pen", width = [0, 0] }, { kind = "breaks", width = [0, 0], p = 1 },
        { kind = "clutter", level = [0, 0], p = 1 },
    "#;
    let digits = digits();
    // Any byte anywhere, up to the edges.
    let mut rng = Rng::new(1, &[]);
    let noise: Vec<u8> = (0..PIXELS).map(|_| rng.next_u64() as u8).collect();
    for entries in [zero, never] {
        for isa in Isa::available() {
            let augment = Augment {
                isa,
                ..augment(entries)
            };
            for i in 0..50 {
                assert_eq!(varied(&augment, digits.image(i), i as u64), digits.image(i));
            }
            assert_eq!(varied(&augment, &noise, 0), noise[..]);
        }
    }
}

#[test]
fn the_generator_decides_every_bit() {
    let digits = digits();
    let once: Vec<_> = (0..100)
        .map(|i| varied(&augment(EVERYTHING), digits.image(i), i as u64))
        .collect();
    // Another instance, another order, another thread.
    let again = std::thread::spawn(move || {
        let augment = augment(EVERYTHING);
        let digits = self::digits();
        let mut all: Vec<_> = (0..100)
            .rev()
            .map(|i| varied(&augment, digits.image(i), i as u64))
            .collect();
        all.reverse();
        all
    });
    assert!(once == again.join().unwrap());
    let augment = augment(EVERYTHING);
    let others = (0..100).filter(|&i| varied(&augment, digits.image(i), 1000) != once[i]);
    assert_eq!(others.count(), 100);
}

/// On paper the first four of these change nothing, however much they draw, and marks and rectangles
/// show what the last two have drawn.
#[test]
fn what_a_transform_draws_does_not_depend_on_the_others() {
    let entries = [
        r#"{ kind = "affine", degrees = 90, translate = [0.2, 0.2] }"#,
        r#""elastic""#,
        r#""pen""#,
        r#"{ kind = "breaks", p = 0.7 }"#,
        r#"{ kind = "clutter", p = 0.7 }"#,
        r#"{ kind = "random_erasing", value = 1 }"#,
    ];
    let paper = [0; PIXELS];
    let drawn = |entries: &[&str]| -> Vec<_> {
        let augment = augment(&entries.join(", "));
        (0..200).map(|i| varied(&augment, &paper, i)).collect()
    };
    let all = drawn(&entries);
    assert!(all.iter().filter(|image| **image != paper).count() > 150);
    for dropped in 0..4 {
        let mut others = entries.to_vec();
        others.remove(dropped);
        assert!(drawn(&others) == all, "without {}", entries[dropped]);
    }
    assert!(drawn(&entries[4..]) == all);
    // The other way round: a mark paints over nothing that is darker.
    assert!(drawn(&[entries[5], entries[4]]) == all);
    // Another of the same kind after it leaves the first one's marks, and has its own.
    let marks = [entries[4], entries[4]];
    let (one, two) = (drawn(&marks[..1]), drawn(&marks));
    let pairs = one.iter().zip(&two);
    let more = pairs.filter(|(one, two)| {
        assert!(one.iter().zip(*two).all(|(one, two)| one <= two));
        one != two
    });
    assert!(more.count() > 100);
}

/// Runs that were begun go on with the numbers that they would have had.
#[test]
fn streams_are_the_same_for_ever() {
    // Published test vectors of FNV-1a.
    assert_eq!(stream("", 0), 0xCBF2_9CE4_8422_2325);
    assert_eq!(stream("a", 0), 0xAF63_DC4C_8601_EC8C);
    assert_eq!(stream("foobar", 0), 0x8594_4171_F739_67E8);
    assert_eq!(stream("foobar", 2), 0x8594_4171_F739_67EA);
    let mut words: Vec<u64> = Transform::KINDS
        .iter()
        .map(|kind| stream(kind, 0))
        .collect();
    words.sort();
    assert!(words.windows(2).all(|two| two[1] - two[0] > MOST as u64));
}

#[test]
fn instruction_sets_agree() {
    let digits = digits();
    // Where ink begins is one level more or less: with that a break is elsewhere, a box larger.
    let transforms: Vec<Transform> = list(EVERYTHING)
        .unwrap()
        .into_iter()
        .filter(|transform| !["breaks", "refit"].contains(&transform.kind()))
        .collect();
    let best = Augment::new(&transforms).unwrap();
    for isa in Isa::available() {
        let augment = Augment {
            isa,
            ..best.clone()
        };
        for i in 0..500 {
            let expected = varied(&best, digits.image(i), i as u64);
            let found = varied(&augment, digits.image(i), i as u64);
            let largest = found.iter().zip(expected).map(|(a, b)| a.abs_diff(b)).max();
            assert!(largest <= Some(1), "{isa}, digit {i}: {largest:?}");
        }
    }
}

/// The largest values a recipe may ask for: nothing panics, and every byte is written.
#[test]
fn the_wildest_recipe_is_done() {
    let affine =
        r#"{ kind = "affine", degrees = 180, translate = [1, 1], scale = [0.1, 10], shear = 60 }"#;
    let elastic = |sigma: f64| format!("{{ kind = \"elastic\", alpha = 1000, sigma = {sigma:e} }}");
    let others = r#"
        { kind = "european", p = 1 },
        { kind = "stretch", ratio = [0.1, 10] },
        { kind = "pen", width = [-4, 4] },
        { kind = "breaks", count = 100, width = [0, 28], p = 1 },
        { kind = "clutter", count = 100, level = [0, 1], p = 1 },
        { kind = "downscale", scale = [0.1, 1], p = 1 },
        "refit",
        { kind = "random_erasing", p = 1, scale = [0, 1], ratio = [0.01, 100] },
    "#;
    let (least, most) = (elastic(f64::MIN_POSITIVE), elastic(28.0));
    let far = format!("{affine}, {least}, ").repeat(40);
    let digits = digits();
    for entries in [
        format!("{affine}, {least}, {others}"),
        format!("{most}, {affine}, {most}, {others}"),
        format!("{far}{others}"),
    ] {
        let augment = augment(&entries);
        for i in 0..500 {
            let image = varied(&augment, digits.image(i), i as u64);
            // 77 is what it was before; a digit has that value in some places only.
            let unwritten = image.iter().filter(|&&pixel| pixel == 77).count();
            assert!(unwritten < 50, "digit {i}: {unwritten}");
        }
    }
}
