/// Column and row of each coefficient in zigzag order (T.81, figure A.6).
pub(crate) const ZIGZAG: [(u8, u8); 64] = {
    let mut order = [(0, 0); 64];
    let (mut u, mut v, mut at) = (0_u8, 0_u8, 0);
    while at < 64 {
        order[at] = (u, v);
        if (u + v) % 2 == 0 {
            match (u, v) {
                (7, _) => v += 1,
                (_, 0) => u += 1,
                _ => {
                    u += 1;
                    v -= 1;
                }
            }
        } else {
            match (u, v) {
                (_, 7) => u += 1,
                (0, _) => v += 1,
                _ => {
                    u -= 1;
                    v += 1;
                }
            }
        }
        at += 1;
    }
    order
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zigzag_equals_the_standard_and_has_no_duplicates() {
        assert_eq!(ZIGZAG[..6], [(0, 0), (1, 0), (0, 1), (0, 2), (1, 1), (2, 0)]);
        assert_eq!(ZIGZAG[61..], [(7, 6), (6, 7), (7, 7)]);
        let mut all = ZIGZAG;
        all.sort_unstable();
        assert!(all.windows(2).all(|w| w[0] != w[1]));
    }
}
