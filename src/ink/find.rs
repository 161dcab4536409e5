//! The ink of a page -> the components that make up its digit.

use super::lines::wipe_lines;
use super::plane::Plane;
use super::strokes::{BoundingBox, Component, Components};

/// The least ink that can be a stroke: what takes less of the paper's light away is paper.
const FAINTEST: f32 = 0.06;

/// Where a stroke ends: this share of the strongest ink.
const EDGE: f32 = 0.42;

/// Ink from this share on still belongs to a stroke, if it is connected with it and there is little
/// of it.
const FAINT: f32 = 0.25;

/// A page's digit.
pub struct Found {
    /// The ink of the page; 0 where it belongs to something else.
    pub ink: Plane,
    /// The level of full ink.
    pub peak: f32,
    /// The mean stroke width, in pixels.
    pub stroke_width: f32,
    pub bounds: BoundingBox,
}

/// A page's ink and its components, and which of them are its one digit, if it has only one.
pub struct Strokes {
    pub ink: Plane,
    pub components: Components,
    /// The digit, or the largest piece of it.
    pub main: Component,
    /// The level of full ink.
    peak: f32,
    members: Vec<bool>,
    /// The bounding box of the digit.
    pub bounds: BoundingBox,
    /// How much it looks like writing: for the choice between dark and light ink.
    pub score: f32,
    /// Whether it bends or branches, as no spot and no straight line does.
    pub bent: bool,
    /// Whether the picture is cropped to it: strokes from edge to edge, and most of the edges free.
    pub cropped: bool,
}

/// Finds the strokes of a page, given its ink.
pub fn find(mut ink: Plane) -> Option<Strokes> {
    let (width, height) = (ink.width, ink.height());
    let noise = settle(&mut ink);
    let faintest = FAINTEST.max(5.0 * noise);
    let untouched = ink.clone();
    let wiped = wipe_lines(&mut ink, faintest);
    let mut main = strongest_of_page(&ink, faintest);
    if wiped && main.is_none() {
        ink = untouched;
        main = strongest_of_page(&ink, faintest);
    }
    let peak = main?.peak;

    let mut components = Components::new(&ink, (EDGE * peak).max(faintest));
    let mut main = strongest(&components, width, height)?;
    // Where a stroke comes out of a shadow, its ink is taken for less.
    let more = Components::new(&ink, (FAINT * peak).max(faintest));
    if let Some(whole) = strongest(&more, width, height)
        && whole.bounds.contains(&main.bounds)
        && whole.area * 2 < main.area * 3
        && whole.contact == main.contact
    {
        (components, main) = (more, whole);
    }
    let members = gather(&components, &main, width, height);
    let mut bounds = main.bounds;
    let mut contact = 0.0;
    for (component, _) in components.all.iter().zip(&members).filter(|(_, m)| **m) {
        bounds = bounds.union(&component.bounds);
        contact += component.contact.iter().sum::<f32>();
    }
    let boxed = is_box(&components, &main);
    let score = likeness(&main, &bounds) * inside(contact) * if boxed { 0.1 } else { 1.0 };
    let whole = bounds.width() + 4 >= width && bounds.height() + 4 >= height;
    Some(Strokes {
        bent: main.solidity < 0.8,
        // Lines of squared paper go from edge to edge as well, but they are thin.
        cropped: whole && contact < 2.0 && main.stroke_width * 30.0 > bounds.longest() as f32,
        ink,
        components,
        main,
        peak,
        members,
        bounds,
        score,
    })
}

impl Strokes {
    /// The one digit of the page.
    pub fn digit(mut self) -> Found {
        keep(&mut self.ink, &self.components, &self.members);
        Found {
            ink: self.ink,
            peak: self.peak,
            stroke_width: self.main.stroke_width,
            bounds: self.bounds,
        }
    }
}

/// How much a component looks like strokes of a pen, and not like the paper between strokes: thin
/// for its size, and bent.
fn likeness(main: &Component, bounds: &BoundingBox) -> f32 {
    let thickness = 2.0 * main.radius / bounds.longest() as f32;
    let thin = 1.0 / (1.0 + (thickness / 0.22).powi(4));
    let bent = if main.solidity > 0.85 && thickness > 0.15 {
        0.3
    } else {
        1.0
    };
    // Where the light falls off, there is no edge.
    let sharp = 1.0 / (1.0 + (main.softness / (0.04 * bounds.longest() as f32)).powi(2));
    // Dark is dark: light ink takes all of it, dark ink leaves a third of the light.
    main.peak.min(0.7).powi(2) * (main.area as f32).powf(0.25) * thin * bent * sharp
}

/// How much less likely ink is the digit when it covers `contact` of the picture's four edges, 0 to
/// 4.
fn inside(contact: f32) -> f32 {
    let touching = if contact > 0.0 { 0.4 } else { 1.0 };
    touching * (1.0 - contact / 4.0).max(0.02).powi(3)
}

/// Moves the paper to 0; returns the standard deviation of its noise.
fn settle(ink: &mut Plane) -> f32 {
    // From the lower end, since ink may cover most of a picture. Of normal noise, 30 % lies more
    // than 0.524 standard deviations below the mean, and 5 % more than 1.645.
    let (low, lower) = (ink.quantile(0.3), ink.quantile(0.05));
    let deviation = (low - lower) / (1.645 - 0.524);
    let paper = low + 0.524 * deviation;
    ink.values.iter_mut().for_each(|value| *value -= paper);
    deviation
}

/// The component that is the digit, at the first threshold from `faintest` that tells it from the
/// shadows around it.
fn strongest_of_page(ink: &Plane, faintest: f32) -> Option<Component> {
    [1.0, 2.0, 4.0].iter().find_map(|factor| {
        let components = Components::new(ink, factor * faintest);
        strongest(&components, ink.width, ink.height())
    })
}

/// The component that is the digit, or the largest piece of it.
fn strongest(components: &Components, width: usize, height: usize) -> Option<Component> {
    let candidates: Vec<&Component> = components
        .all
        .iter()
        .filter(|component| can_be_digit(component, width, height))
        .collect();
    // A drawn box around the digit.
    let is_frame = |component: &Component| {
        let inner = |other: &Component| {
            component.bounds.contains(&other.bounds)
                && other.bounds.longest() * 5 > component.bounds.longest()
                && other.bounds != component.bounds
        };
        is_box(components, component) && candidates.iter().any(|other| inner(other))
    };
    let weight = |component: &Component| {
        let boxed = if is_box(components, component) {
            0.05
        } else {
            1.0
        };
        let ink = component.peak * component.peak * (component.area as f32).sqrt();
        boxed * ink * inside(component.contact.iter().sum())
    };
    candidates
        .iter()
        .copied()
        .filter(|component| !is_frame(component))
        .max_by(|a, b| weight(a).total_cmp(&weight(b)))
        .cloned()
}

/// Whether a component goes along all four sides of its bounding box, which is no upright line.
fn is_box(components: &Components, component: &Component) -> bool {
    let bounds = &component.bounds;
    bounds.width().min(bounds.height()) * 5 > bounds.longest() * 2 && components.framed(component)
}

/// Whether a component has a digit's shape: strokes, and no border, blot or speck.
fn can_be_digit(component: &Component, width: usize, height: usize) -> bool {
    let bounds = &component.bounds;
    let longest = bounds.longest() as f32;
    let is_speck = bounds.longest() * 40 < width.max(height) || component.area < 12;
    // A band along an edge, or a frame along several.
    let [left, top, right, bottom] = component.contact;
    let upright = left.max(right) > 0.8 && bounds.width() * 3 < width;
    let level = top.max(bottom) > 0.8 && bounds.height() * 3 < height;
    let covered = component
        .contact
        .iter()
        .filter(|&&contact| contact > 0.7)
        .count();
    // A line that the estimate of the paper left along the edge; in a picture that is a mere strip,
    // everything lies along the edge.
    let edged = component.at_edge > 0.2 && width.min(height) > 8;
    let around = covered >= 2 && component.solidity < 0.5;
    let is_border = upright || level || around || edged;
    let is_blot =
        2.0 * component.radius > 0.55 * longest || component.stroke_width > 0.42 * longest;
    // A shadow, or a light.
    let is_soft = component.softness > (0.12 * longest).max(3.0);
    !is_speck && !is_border && !is_blot && !is_soft
}

/// Which components belong to the digit: the main one, and what is near and not too small beside
/// it.
fn gather(components: &Components, main: &Component, width: usize, height: usize) -> Vec<bool> {
    let mut members: Vec<bool> = components
        .all
        .iter()
        .map(|p| p.bounds == main.bounds)
        .collect();
    let mut bounds = main.bounds;
    loop {
        let mut grown = false;
        for (component, member) in components.all.iter().zip(&mut members) {
            if *member || !belongs(component, main, &bounds, width, height) {
                continue;
            }
            *member = true;
            grown = true;
            bounds = bounds.union(&component.bounds);
        }
        if !grown {
            return members;
        }
    }
}

fn belongs(
    component: &Component,
    main: &Component,
    bounds: &BoundingBox,
    width: usize,
    height: usize,
) -> bool {
    let size = main.bounds.longest();
    let gap =
        |a: (usize, usize), b: (usize, usize)| b.0.saturating_sub(a.1).max(a.0.saturating_sub(b.1));
    let e = &component.bounds;
    let dx = gap((bounds.left, bounds.right), (e.left, e.right));
    let dy = gap((bounds.top, bounds.bottom), (e.top, e.bottom));
    let inside = dx == 0 && dy == 0;
    let near = dx.max(dy) * 5 <= size;
    let large = component.area * 40 >= main.area || e.longest() * 6 >= size;
    let as_dark = component.peak > 0.5 * main.peak;
    // A pen is as wide as it is: what is much wider is something else.
    let same_pen = component.radius < 2.5 * main.radius + 1.0;
    let touches = |component: &Component| component.contact.iter().any(|&contact| contact > 0.0);
    let at_edge = touches(component) && !touches(main);
    // A box around it, or a corner of one.
    let around = e.contains(&main.bounds) && e.longest() > size;
    let spans = e.width() * 10 > width * 9 || e.height() * 10 > height * 9;
    (near || inside) && large && as_dark && same_pen && !at_edge && !spans && !around
}

/// Takes away all ink but that of the members, and of the soft edge around them.
fn keep(ink: &mut Plane, components: &Components, members: &[bool]) {
    let mut mask = Plane::new(components.width, ink.height(), 0.0);
    for (value, &label) in mask.values.iter_mut().zip(&components.labels) {
        if label > 0 && members[label as usize - 1] {
            *value = 1.0;
        }
    }
    let near = mask.dilated(2);
    for ((value, &near), &label) in ink
        .values
        .iter_mut()
        .zip(&near.values)
        .zip(&components.labels)
    {
        let other = label > 0 && !members[label as usize - 1];
        if near == 0.0 || other {
            *value = 0.0;
        }
    }
}
