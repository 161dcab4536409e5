//! Ink -> its connected components, and how far each of their pixels lies from the paper.

use super::plane::Plane;

/// A bounding box in pixels; the right and the bottom edge are outside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundingBox {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl BoundingBox {
    pub fn width(&self) -> usize {
        self.right - self.left
    }

    pub fn height(&self) -> usize {
        self.bottom - self.top
    }

    pub fn longest(&self) -> usize {
        self.width().max(self.height())
    }

    /// Whether all of `other` lies in it.
    pub fn contains(&self, other: &Self) -> bool {
        self.left <= other.left
            && self.top <= other.top
            && self.right >= other.right
            && self.bottom >= other.bottom
    }

    /// The rectangle with `by` more pixels on each side, clipped to the picture.
    pub fn grown(&self, by: usize, width: usize, height: usize) -> Self {
        Self {
            left: self.left.saturating_sub(by),
            top: self.top.saturating_sub(by),
            right: (self.right + by).min(width),
            bottom: (self.bottom + by).min(height),
        }
    }

    /// The smallest rectangle that holds both.
    pub fn union(&self, other: &Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

/// A connected component of the ink; pixels that touch at a corner are connected.
#[derive(Debug, Clone)]
pub struct Component {
    pub bounds: BoundingBox,
    /// The number of its pixels.
    pub area: usize,
    /// The ink of its darkest pixels, leaving out the darkest 2 %.
    pub peak: f32,
    /// The radius of the largest disc in it, in pixels.
    pub radius: f32,
    /// The mean stroke width, in pixels.
    pub stroke_width: f32,
    /// How many pixels the edge from paper to full ink is wide, on average.
    pub softness: f32,
    /// The share of its convex hull that it fills: near 1 for a blot or a straight line.
    pub solidity: f32,
    /// The share of it that lies on the very edge of the picture.
    pub at_edge: f32,
    /// How much of the picture's edges it covers: left, top, right, bottom, 0 to 1.
    pub contact: [f32; 4],
}

/// What is known of a component while its pixels are being collected.
struct Collected {
    bounds: BoundingBox,
    radius: f32,
    /// The sum of all distances to its edge.
    depth: f64,
    /// Pixels on the picture's edges: left, top, right, bottom.
    contact: [usize; 4],
    /// Pixels on its own edge.
    boundary: usize,
}

impl Collected {
    /// A component of which only the place of one pixel, (x, y), is known.
    fn new(x: usize, y: usize) -> Self {
        Self {
            bounds: BoundingBox {
                left: x,
                top: y,
                right: x + 1,
                bottom: y + 1,
            },
            radius: 0.0,
            depth: 0.0,
            contact: [0; 4],
            boundary: 0,
        }
    }

    /// Adds a pixel of a page of this size, `distance` from the component's edge.
    fn add(&mut self, (x, y): (usize, usize), (width, height): (usize, usize), distance: f32) {
        let bounds = &mut self.bounds;
        bounds.left = bounds.left.min(x);
        bounds.right = bounds.right.max(x + 1);
        bounds.top = bounds.top.min(y);
        bounds.bottom = bounds.bottom.max(y + 1);
        self.radius = self.radius.max(distance);
        self.depth += f64::from(distance);
        self.boundary += usize::from(distance < 1.5);
        let at_edge = [x == 0, y == 0, x + 1 == width, y + 1 == height];
        for (count, at_edge) in self.contact.iter_mut().zip(at_edge) {
            *count += usize::from(at_edge);
        }
    }

    /// The component, given the ink of all its pixels in any order, the area of its convex hull and
    /// the size of the page.
    fn component(self, ink: &mut [f32], hull: f32, (width, height): (usize, usize)) -> Component {
        let at = (ink.len() - 1) * 98 / 100;
        let peak = *ink.select_nth_unstable_by(at, f32::total_cmp).1;
        let faint = ink.iter().filter(|&&v| v < 0.7 * peak).count();
        let lengths = [height, width, height, width];
        Component {
            bounds: self.bounds,
            area: ink.len(),
            peak,
            radius: self.radius,
            // Across a stroke, the distance rises evenly to half the width; pixels count from 1.
            stroke_width: (4.0 * self.depth / ink.len() as f64 - 2.0).max(1.0) as f32,
            solidity: ink.len() as f32 / hull,
            softness: faint as f32 / self.boundary.max(1) as f32,
            at_edge: self.contact.iter().sum::<usize>() as f32 / ink.len() as f32,
            contact: std::array::from_fn(|i| self.contact[i] as f32 / lengths[i] as f32),
        }
    }
}

/// The components of a page, and which pixel belongs to which.
pub struct Components {
    pub width: usize,
    /// The number of a pixel's component, from 1; 0 is paper.
    pub labels: Vec<u32>,
    pub all: Vec<Component>,
}

impl Components {
    /// Everything in `ink` above `threshold`.
    pub fn new(ink: &Plane, threshold: f32) -> Self {
        let (width, height) = (ink.width, ink.height());
        let mask: Vec<bool> = ink.values.iter().map(|&v| v > threshold).collect();
        let distance = chamfer(&mask, width);
        let mut labels = vec![0_u32; mask.len()];
        let mut components = Vec::new();
        let mut stack = Vec::new();
        let mut amounts = Vec::new();
        // Each row's first and last pixel of the component at hand.
        let mut rows = vec![(usize::MAX, 0); height];
        for start in 0..mask.len() {
            if !mask[start] || labels[start] != 0 {
                continue;
            }
            let number = components.len() as u32 + 1;
            let mut collected = Collected::new(start % width, start / width);
            amounts.clear();
            labels[start] = number;
            stack.push(start);
            while let Some(position) = stack.pop() {
                let (x, y) = (position % width, position / width);
                collected.add((x, y), (width, height), distance.values[position]);
                amounts.push(ink.values[position]);
                let (first, last) = &mut rows[y];
                *first = x.min(*first);
                *last = x.max(*last);
                for ny in y.saturating_sub(1)..(y + 2).min(height) {
                    for nx in x.saturating_sub(1)..(x + 2).min(width) {
                        let next = ny * width + nx;
                        if mask[next] && labels[next] == 0 {
                            labels[next] = number;
                            stack.push(next);
                        }
                    }
                }
            }
            let rows = &mut rows[collected.bounds.top..collected.bounds.bottom];
            let hull = hull_area(rows, collected.bounds.top);
            rows.fill((usize::MAX, 0));
            components.push(collected.component(&mut amounts, hull, (width, height)));
        }
        Self {
            width,
            labels,
            all: components,
        }
    }
}

impl Components {
    /// Whether a component goes along all four sides of its own bounding box: a drawn box.
    pub fn framed(&self, component: &Component) -> bool {
        let bounds = &component.bounds;
        // As deep as a box that is turned a little leans.
        let depth = bounds.longest() / 6 + 1;
        let number = |x: usize, y: usize| self.labels[y * self.width + x];
        let label = (bounds.left..bounds.right)
            .map(|x| number(x, bounds.top))
            .find(|&label| label > 0 && self.all[label as usize - 1].bounds == *bounds);
        let Some(label) = label else {
            return false;
        };
        let columns = |from: usize, to: usize| {
            let seen = (bounds.left..bounds.right)
                .filter(|&x| (from..to).any(|y| number(x, y) == label))
                .count();
            seen * 10 > bounds.width() * 9
        };
        let rows = |from: usize, to: usize| {
            let seen = (bounds.top..bounds.bottom)
                .filter(|&y| (from..to).any(|x| number(x, y) == label))
                .count();
            seen * 10 > bounds.height() * 9
        };
        columns(bounds.top, (bounds.top + depth).min(bounds.bottom))
            && columns(
                bounds.bottom.saturating_sub(depth).max(bounds.top),
                bounds.bottom,
            )
            && rows(bounds.left, (bounds.left + depth).min(bounds.right))
            && rows(
                bounds.right.saturating_sub(depth).max(bounds.left),
                bounds.right,
            )
    }
}

/// The area of the convex hull of rows of pixels, given each row's first and last one (A. M. Andrew's
/// monotone chains, down both sides).
fn hull_area(rows: &[(usize, usize)], top: usize) -> f32 {
    let mut left: Vec<(f64, f64)> = Vec::new();
    let mut right: Vec<(f64, f64)> = Vec::new();
    // A pixel is a square: its four corners count.
    for (y, &(first, last)) in (top..).zip(rows) {
        for y in [y as f64, y as f64 + 1.0] {
            push_convex(&mut left, (first as f64, y), -1.0);
            push_convex(&mut right, (last as f64 + 1.0, y), 1.0);
        }
    }
    let around: Vec<(f64, f64)> = left.into_iter().chain(right.into_iter().rev()).collect();
    let next = around.iter().cycle().skip(1);
    let doubled: f64 = around
        .iter()
        .zip(next)
        .map(|(a, b)| a.0 * b.1 - b.0 * a.1)
        .sum();
    (doubled.abs() / 2.0) as f32
}

/// Adds a point to a chain that goes down and bends to one side only.
fn push_convex(chain: &mut Vec<(f64, f64)>, point: (f64, f64), side: f64) {
    while let [.., a, b] = chain[..] {
        let cross = (b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0);
        if side * cross > 0.0 {
            break;
        }
        chain.pop();
    }
    chain.push(point);
}

/// Each inked pixel's distance to the nearest paper, in pixels, within a few percent (G. Borgefors,
/// "Distance transformations in digital images", 1986: steps of 3 and 4 thirds).
fn chamfer(mask: &[bool], width: usize) -> Plane {
    let height = mask.len() / width.max(1);
    // A frame of paper around the page: what touches the edge ends there.
    let stride = width + 2;
    let mut distance = vec![0_u32; stride * (height + 2)];
    for y in 0..height {
        for x in 0..width {
            if mask[y * width + x] {
                let at = (y + 1) * stride + x + 1;
                distance[at] = (distance[at - 1] + 3)
                    .min(distance[at - stride] + 3)
                    .min(distance[at - stride - 1] + 4)
                    .min(distance[at - stride + 1] + 4);
            }
        }
    }
    let mut result = Plane::new(width, height, 0.0);
    for y in (0..height).rev() {
        for x in (0..width).rev() {
            if mask[y * width + x] {
                let at = (y + 1) * stride + x + 1;
                distance[at] = distance[at]
                    .min(distance[at + 1] + 3)
                    .min(distance[at + stride] + 3)
                    .min(distance[at + stride + 1] + 4)
                    .min(distance[at + stride - 1] + 4);
                result.values[y * width + x] = distance[at] as f32 / 3.0;
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page with ink where `inked` says so.
    fn page(width: usize, height: usize, inked: impl Fn(usize, usize) -> bool) -> Plane {
        let mut page = Plane::new(width, height, 0.0);
        for (i, value) in page.values.iter_mut().enumerate() {
            *value = if inked(i % width, i / width) {
                1.0
            } else {
                0.0
            };
        }
        page
    }

    #[test]
    fn parts_hang_together_and_are_measured() {
        // A bar of 6x40, and an L that touches the left and the lower edge.
        let bar = |x: usize, y: usize| (60..66).contains(&x) && (10..50).contains(&y);
        let corner = |x: usize, y: usize| x < 4 && y >= 30 || y >= 76 && x < 40;
        let components = Components::new(&page(100, 80, |x, y| bar(x, y) || corner(x, y)), 0.5);
        assert_eq!(components.all.len(), 2);
        let bar = &components.all[0];
        assert_eq!(
            (bar.bounds.width(), bar.bounds.height(), bar.area),
            (6, 40, 240)
        );
        assert!((bar.solidity - 1.0).abs() < 1e-6);
        assert!((bar.stroke_width - 6.0).abs() < 1.0, "{}", bar.stroke_width);
        assert_eq!(bar.contact, [0.0; 4]);
        let corner = &components.all[1];
        assert_eq!(corner.contact, [50.0 / 80.0, 0.0, 0.0, 0.4]);
        // 4x50 and 36x4 in the hull of both: a pentagon.
        assert!(corner.solidity < 0.4, "{}", corner.solidity);
    }

    #[test]
    fn a_box_goes_along_all_four_sides_and_a_ring_does_not() {
        let inside = |x: usize, y: usize, by: usize| {
            (by..100 - by).contains(&x) && (by..80 - by).contains(&y)
        };
        let components = Components::new(
            &page(100, 80, |x, y| inside(x, y, 10) && !inside(x, y, 13)),
            0.5,
        );
        assert!(components.framed(&components.all[0]));
        let from_middle = |x: usize, y: usize| (x as f32 - 50.0).hypot(y as f32 - 40.0);
        let ring = page(100, 80, |x, y| (25.0..32.0).contains(&from_middle(x, y)));
        let components = Components::new(&ring, 0.5);
        assert!(!components.framed(&components.all[0]));
    }
}
