//! The loop filter, which smooths the edges of blocks (RFC 6386, section 15).

/// The thresholds below which an edge is taken for an artefact of blocks and smoothed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FilterLimits {
    /// For the step at the edge of a subblock; for the edge of a macroblock it is four more.
    edge: i16,
    /// For the steps on either side of the edge.
    interior: i16,
    /// Steps next to the edge that are larger mean high variance, where the filter is weaker.
    variance: i16,
}

impl FilterLimits {
    /// `None` if the level is 0: no filter.
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

    fn for_macroblock(self) -> Self {
        Self { edge: self.edge + 4, ..self }
    }
}

/// The samples around an edge: four lines before it and four after it.
type Edge<const N: usize> = [[i16; N]; 8];

/// The position of a macroblock in its plane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MacroblockPosition {
    pub column: usize,
    pub row: usize,
}

/// The normal filter: smooths the edges of a macroblock of `N` × `N` samples, and of its subblocks if `inner`.
pub(crate) fn normal<const N: usize>(
    plane: &mut [u8],
    stride: usize,
    position: MacroblockPosition,
    limits: FilterLimits,
    inner: bool,
) {
    let first = position.row * N * stride + position.column * N;
    let inner_offsets = || (4..N).step_by(4).filter(|_| inner);
    if position.column > 0 {
        vertical_edge::<N>(plane, stride, first, |edge| macroblock_edge(edge, limits.for_macroblock()));
    }
    for x in inner_offsets() {
        vertical_edge::<N>(plane, stride, first + x, |edge| subblock_edge(edge, limits));
    }
    if position.row > 0 {
        horizontal_edge::<N>(plane, stride, first, |edge| macroblock_edge(edge, limits.for_macroblock()));
    }
    for y in inner_offsets() {
        horizontal_edge::<N>(plane, stride, first + y * stride, |edge| subblock_edge(edge, limits));
    }
}

/// The simple filter: changes fewer samples, and is used for luma only.
pub(crate) fn simple(plane: &mut [u8], stride: usize, position: MacroblockPosition, limits: FilterLimits, inner: bool) {
    const N: usize = 16;
    let first = position.row * N * stride + position.column * N;
    let inner_offsets = || (4..N).step_by(4).filter(|_| inner);
    if position.column > 0 {
        vertical_edge::<N>(plane, stride, first, |edge| simple_edge(edge, limits.for_macroblock()));
    }
    for x in inner_offsets() {
        vertical_edge::<N>(plane, stride, first + x, |edge| simple_edge(edge, limits));
    }
    if position.row > 0 {
        horizontal_edge::<N>(plane, stride, first, |edge| simple_edge(edge, limits.for_macroblock()));
    }
    for y in inner_offsets() {
        horizontal_edge::<N>(plane, stride, first + y * stride, |edge| simple_edge(edge, limits));
    }
}

/// Smooths a vertical edge. `at` is the index of the first sample to its right.
#[inline(always)]
fn vertical_edge<const N: usize>(plane: &mut [u8], stride: usize, at: usize, smooth: impl Fn(&mut Edge<N>)) {
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

/// Smooths a horizontal edge. `at` is the index of the first sample below it.
#[inline(always)]
fn horizontal_edge<const N: usize>(plane: &mut [u8], stride: usize, at: usize, smooth: impl Fn(&mut Edge<N>)) {
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
fn clamp_i8(value: i16) -> i16 {
    value.clamp(-128, 127)
}

/// All ones if true.
#[inline(always)]
fn mask(is: bool) -> i16 {
    -i16::from(is)
}

#[inline(always)]
fn simple_edge<const N: usize>([_, _, p1, p0, q0, q1, _, _]: &mut Edge<N>, limits: FilterLimits) {
    for i in 0..N {
        let [a, b, c, d] = [p1[i], p0[i], q0[i], q1[i]].map(|v| v - 128);
        let applies = mask((b - c).abs() * 2 + ((a - d).abs() >> 1) <= limits.edge);
        let step = clamp_i8(clamp_i8(a - d) + 3 * (c - b)) & applies;
        q0[i] = clamp_i8(c - (clamp_i8(step + 4) >> 3)) + 128;
        p0[i] = clamp_i8(b + (clamp_i8(step + 3) >> 3)) + 128;
    }
}

/// Masks: whether the edge is smoothed, and whether the variance next to it is high.
#[inline(always)]
fn edge_masks([p3, p2, p1, p0, q0, q1, q2, q3]: [i16; 8], limits: FilterLimits) -> (i16, i16) {
    let step = |a: i16, b: i16| (a - b).abs();
    let steep = step(p3, p2).max(step(p2, p1)).max(step(q3, q2)).max(step(q2, q1));
    let beside = step(p1, p0).max(step(q1, q0));
    let edge = step(p0, q0) * 2 + (step(p1, q1) >> 1);
    let applies = mask(edge <= limits.edge) & mask(steep.max(beside) <= limits.interior);
    (applies, mask(beside > limits.variance))
}

#[inline(always)]
fn subblock_edge<const N: usize>([p3, p2, p1, p0, q0, q1, q2, q3]: &mut Edge<N>, limits: FilterLimits) {
    for i in 0..N {
        let (applies, varies) = edge_masks([p3[i], p2[i], p1[i], p0[i], q0[i], q1[i], q2[i], q3[i]], limits);
        let [a, b, c, d] = [p1[i], p0[i], q0[i], q1[i]].map(|v| v - 128);
        let step = clamp_i8((clamp_i8(a - d) & varies) + 3 * (c - b)) & applies;
        let (behind, before) = (clamp_i8(step + 4) >> 3, clamp_i8(step + 3) >> 3);
        let outer = ((behind + 1) >> 1) & !varies & applies;
        p1[i] = clamp_i8(a + outer) + 128;
        p0[i] = clamp_i8(b + before) + 128;
        q0[i] = clamp_i8(c - behind) + 128;
        q1[i] = clamp_i8(d - outer) + 128;
    }
}

#[inline(always)]
fn macroblock_edge<const N: usize>([p3, p2, p1, p0, q0, q1, q2, q3]: &mut Edge<N>, limits: FilterLimits) {
    for i in 0..N {
        let (applies, varies) = edge_masks([p3[i], p2[i], p1[i], p0[i], q0[i], q1[i], q2[i], q3[i]], limits);
        let [a, b, c, d, e, f] = [p2[i], p1[i], p0[i], q0[i], q1[i], q2[i]].map(|v| v - 128);
        let step = clamp_i8(clamp_i8(b - e) + 3 * (d - c)) & applies;
        let (sharp, soft) = (step & varies, step & !varies);
        let part = |of: i16| clamp_i8((of * soft + 63) >> 7);
        let (near, middle, far) = (part(27), part(18), part(9));
        let (behind, before) = (clamp_i8(sharp + 4) >> 3, clamp_i8(sharp + 3) >> 3);
        p2[i] = clamp_i8(a + far) + 128;
        p1[i] = clamp_i8(b + middle) + 128;
        p0[i] = clamp_i8(c + near + before) + 128;
        q0[i] = clamp_i8(d - near - behind) + 128;
        q1[i] = clamp_i8(e - middle) + 128;
        q2[i] = clamp_i8(f - far) + 128;
    }
}
