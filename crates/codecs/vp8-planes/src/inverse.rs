/// One value of each of 16 blocks.
pub(crate) type Lanes = [i16; 16];

/// The inverse transform of 16 blocks at once (RFC 6386, section 14.4). `values` are the coefficients, by index in the
/// block; `samples` become the rows of four rows of four blocks. Results of more than 16 bits wrap, as in libwebp; no
/// encoder causes them.
///
/// Overwrites `values`.
pub(crate) fn inverse(values: &mut [Lanes; 16], samples: &mut [Lanes; 16]) {
    for x in 0..4 {
        butterfly(values, [x, 4 + x, 8 + x, 12 + x]);
    }
    for y in 0..4 {
        // The rounding constant is added to the first value, which contributes to all results.
        values[4 * y].iter_mut().for_each(|value| *value = value.wrapping_add(4));
        butterfly(values, [4 * y, 4 * y + 1, 4 * y + 2, 4 * y + 3]);
    }
    for (y, [a, b, c, d]) in values.as_chunks::<4>().0.iter().enumerate() {
        let mut rows = [[0; 4]; 16];
        for (i, four) in rows.iter_mut().enumerate() {
            *four = [a[i] >> 3, b[i] >> 3, c[i] >> 3, d[i] >> 3];
        }
        for (blocks, row) in rows.as_flattened().as_chunks::<16>().0.iter().enumerate() {
            samples[(blocks * 4 + y) & 15] = *row;
        }
    }
}

#[inline(always)]
fn butterfly(values: &mut [Lanes; 16], indices: [usize; 4]) {
    /// √2 · cos(π/8) − 1 and √2 · sin(π/8) − 1, in units of 1/65,536.
    const COSINE: i32 = 20_091;
    const SINE: i32 = 35_468 - 65_536;
    let times = |v: i16, of: i32| v.wrapping_add(((i32::from(v) * of) >> 16) as i16);
    let [mut a, mut b, mut c, mut d] = indices.map(|index| values[index]);
    for i in 0..16 {
        let (even_outer, even_inner) = (a[i].wrapping_add(c[i]), a[i].wrapping_sub(c[i]));
        let odd_inner = times(b[i], SINE).wrapping_sub(times(d[i], COSINE));
        let odd_outer = times(b[i], COSINE).wrapping_add(times(d[i], SINE));
        (a[i], d[i]) = (even_outer.wrapping_add(odd_outer), even_outer.wrapping_sub(odd_outer));
        (b[i], c[i]) = (even_inner.wrapping_add(odd_inner), even_inner.wrapping_sub(odd_inner));
    }
    for (index, value) in indices.into_iter().zip([a, b, c, d]) {
        values[index] = value;
    }
}
