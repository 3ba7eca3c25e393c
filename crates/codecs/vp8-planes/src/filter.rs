//! Smooths the edges of blocks (RFC 6386, section 15).

/// What tells an edge of blocks from one of the picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Of a subblock's edges; those of a macroblock have four more.
    edge: i16,
    /// Of the steps on either side.
    interior: i16,
    /// Steps beside the edge from which on it is left sharper.
    variance: i16,
}

impl Limits {
    /// `None` if nothing is to be smoothed.
    pub fn new(level: u8, sharpness: u8) -> Option<Self> {
        let (level, sharpness) = (i16::from(level), i16::from(sharpness));
        let interior = match sharpness {
            0 => level,
            1..=4 => (level >> 1).min(9 - sharpness),
            _ => (level >> 2).min(9 - sharpness),
        };
        let interior = interior.max(1);
        let variance = match level {
            0..15 => 0,
            15..40 => 1,
            _ => 2,
        };
        (level > 0).then_some(Self { edge: 2 * level + interior, interior, variance })
    }

    fn of_macroblock(self) -> Self {
        Self { edge: self.edge + 4, ..self }
    }
}

/// Samples across an edge, four before it and four behind, side by side.
type Edge<const N: usize> = [[i16; N]; 8];

/// A macroblock's place in a plane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub column: usize,
    pub row: usize,
}

/// Smooths the edges of a macroblock with `N` samples a side, and of its subblocks if `inner`.
pub(crate) fn normal<const N: usize>(plane: &mut [u8], stride: usize, place: Place, limits: Limits, inner: bool) {
    let first = place.row * N * stride + place.column * N;
    let subblocks = || (4..N).step_by(4).filter(|_| inner);
    if place.column > 0 {
        upright::<N>(plane, stride, first, |edge| macroblock_edge(edge, limits.of_macroblock()));
    }
    for x in subblocks() {
        upright::<N>(plane, stride, first + x, |edge| subblock_edge(edge, limits));
    }
    if place.row > 0 {
        level::<N>(plane, stride, first, |edge| macroblock_edge(edge, limits.of_macroblock()));
    }
    for y in subblocks() {
        level::<N>(plane, stride, first + y * stride, |edge| subblock_edge(edge, limits));
    }
}

/// The same, for luma alone and by fewer samples.
pub(crate) fn simple(plane: &mut [u8], stride: usize, place: Place, limits: Limits, inner: bool) {
    const N: usize = 16;
    let first = place.row * N * stride + place.column * N;
    let subblocks = || (4..N).step_by(4).filter(|_| inner);
    if place.column > 0 {
        upright::<N>(plane, stride, first, |edge| simple_edge(edge, limits.of_macroblock()));
    }
    for x in subblocks() {
        upright::<N>(plane, stride, first + x, |edge| simple_edge(edge, limits));
    }
    if place.row > 0 {
        level::<N>(plane, stride, first, |edge| simple_edge(edge, limits.of_macroblock()));
    }
    for y in subblocks() {
        level::<N>(plane, stride, first + y * stride, |edge| simple_edge(edge, limits));
    }
}

/// An edge whose samples lie in rows: `at` is the first one behind it.
#[inline(always)]
fn upright<const N: usize>(plane: &mut [u8], stride: usize, at: usize, smooth: impl Fn(&mut Edge<N>)) {
    let mut edge = [[0; N]; 8];
    let rows = &mut plane[at - 4..];
    for i in 0..N {
        let row = &rows[i * stride..][..8];
        for (samples, &sample) in edge.iter_mut().zip(row) {
            samples[i] = i16::from(sample);
        }
    }
    smooth(&mut edge);
    for i in 0..N {
        let row = &mut rows[i * stride..][..8];
        for (samples, out) in edge[1..7].iter().zip(&mut row[1..7]) {
            *out = samples[i] as u8;
        }
    }
}

/// An edge whose samples lie in columns.
#[inline(always)]
fn level<const N: usize>(plane: &mut [u8], stride: usize, at: usize, smooth: impl Fn(&mut Edge<N>)) {
    let mut edge = [[0; N]; 8];
    let first = at - 4 * stride;
    for (i, samples) in edge.iter_mut().enumerate() {
        let row = &plane[first + i * stride..][..N];
        for (sample, &from) in samples.iter_mut().zip(row) {
            *sample = i16::from(from);
        }
    }
    smooth(&mut edge);
    for (i, samples) in edge.iter().enumerate().take(7).skip(1) {
        let row = &mut plane[first + i * stride..][..N];
        for (out, &sample) in row.iter_mut().zip(samples) {
            *out = sample as u8;
        }
    }
}

#[inline(always)]
fn signed(value: i16) -> i16 {
    value.clamp(-128, 127)
}

/// All ones where the samples are to be smoothed.
#[inline(always)]
fn mask(is: bool) -> i16 {
    -i16::from(is)
}

#[inline(always)]
fn simple_edge<const N: usize>([_, _, p1, p0, q0, q1, _, _]: &mut Edge<N>, limits: Limits) {
    for i in 0..N {
        let [a, b, c, d] = [p1[i], p0[i], q0[i], q1[i]].map(|v| v - 128);
        let applies = mask((b - c).abs() * 2 + ((a - d).abs() >> 1) <= limits.edge);
        let step = signed(signed(a - d) + 3 * (c - b)) & applies;
        q0[i] = signed(c - (signed(step + 4) >> 3)) + 128;
        p0[i] = signed(b + (signed(step + 3) >> 3)) + 128;
    }
}

/// Whether samples are to be smoothed, and whether they vary much beside the edge: masks.
#[inline(always)]
fn judge([p3, p2, p1, p0, q0, q1, q2, q3]: [i16; 8], limits: Limits) -> (i16, i16) {
    let step = |a: i16, b: i16| (a - b).abs();
    let steep = step(p3, p2).max(step(p2, p1)).max(step(q3, q2)).max(step(q2, q1));
    let beside = step(p1, p0).max(step(q1, q0));
    let edge = step(p0, q0) * 2 + (step(p1, q1) >> 1);
    let applies = mask(edge <= limits.edge) & mask(steep.max(beside) <= limits.interior);
    (applies, mask(beside > limits.variance))
}

#[inline(always)]
fn subblock_edge<const N: usize>([p3, p2, p1, p0, q0, q1, q2, q3]: &mut Edge<N>, limits: Limits) {
    for i in 0..N {
        let (applies, varies) = judge([p3[i], p2[i], p1[i], p0[i], q0[i], q1[i], q2[i], q3[i]], limits);
        let [a, b, c, d] = [p1[i], p0[i], q0[i], q1[i]].map(|v| v - 128);
        let step = signed((signed(a - d) & varies) + 3 * (c - b)) & applies;
        let (behind, before) = (signed(step + 4) >> 3, signed(step + 3) >> 3);
        let outer = ((behind + 1) >> 1) & !varies & applies;
        p1[i] = signed(a + outer) + 128;
        p0[i] = signed(b + before) + 128;
        q0[i] = signed(c - behind) + 128;
        q1[i] = signed(d - outer) + 128;
    }
}

#[inline(always)]
fn macroblock_edge<const N: usize>([p3, p2, p1, p0, q0, q1, q2, q3]: &mut Edge<N>, limits: Limits) {
    for i in 0..N {
        let (applies, varies) = judge([p3[i], p2[i], p1[i], p0[i], q0[i], q1[i], q2[i], q3[i]], limits);
        let [a, b, c, d, e, f] = [p2[i], p1[i], p0[i], q0[i], q1[i], q2[i]].map(|v| v - 128);
        let step = signed(signed(b - e) + 3 * (d - c)) & applies;
        let (sharp, soft) = (step & varies, step & !varies);
        let part = |of: i16| signed((of * soft + 63) >> 7);
        let (near, middle, far) = (part(27), part(18), part(9));
        let (behind, before) = (signed(sharp + 4) >> 3, signed(sharp + 3) >> 3);
        p2[i] = signed(a + far) + 128;
        p1[i] = signed(b + middle) + 128;
        p0[i] = signed(c + near + before) + 128;
        q0[i] = signed(d - near - behind) + 128;
        q1[i] = signed(e - middle) + 128;
        q2[i] = signed(f - far) + 128;
    }
}
