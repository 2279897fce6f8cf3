//! New inputs from seeds, blindly, and the same in each run: a change that fails CI has failed by itself,
//! and not by chance.

use fastrand::Rng;

/// No input is longer.
const BYTES_MAX: usize = 4 << 10;
/// Changes of one input at most.
const CHANGES_MAX: usize = 6;
/// Bytes that parsers trip over.
const BYTES: &[u8] = b"\0\n\r \"'\\/{}[]()<>:;,=&%#*?+-.019azAZ_~\x7f\x80\xc3\xff";
/// And numbers.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1e400",
    "5e-324",
    "NaN",
    "127",
    "65536",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "18446744073709551616",
    "0.1",
];

/// One input that is like one of `seeds`, of which there is one at least.
pub fn mutated(seeds: &[Vec<u8>], random: &mut Rng) -> Vec<u8> {
    let mut input = seeds[random.usize(..seeds.len())].clone();
    for _ in 0..random.usize(1..=CHANGES_MAX) {
        let (start, end) = range(&input, random);
        match random.u8(..9) {
            0 => flip(&mut input, random),
            1 => _ = input.splice(start..start, [BYTES[random.usize(..BYTES.len())]]),
            2 if start < input.len() => input[start] = BYTES[random.usize(..BYTES.len())],
            3 => _ = input.drain(start..end),
            4 => input.truncate(end),
            5 => {
                let again = input[start..end].repeat(random.usize(1..=64));
                input.splice(end..end, again);
            }
            6 => {
                let other = &seeds[random.usize(..seeds.len())];
                let (from, to) = range(other, random);
                input.splice(start..end, other[from..to].iter().copied());
            }
            7 => number(&mut input, start, random),
            _ => input[start..end].reverse(),
        }
        input.truncate(BYTES_MAX);
    }
    // libFuzzer leaves empty files out.
    if input.is_empty() {
        input.push(0);
    }
    input
}

/// A part of it, short more often than long.
fn range(bytes: &[u8], random: &mut Rng) -> (usize, usize) {
    let start = random.usize(..=bytes.len());
    let rest = bytes.len() - start;
    let most = if random.bool() { rest.min(8) } else { rest };
    (start, start + random.usize(..=most))
}

fn flip(input: &mut [u8], random: &mut Rng) {
    if !input.is_empty() {
        let at = random.usize(..input.len());
        input[at] ^= 1 << random.u8(..8);
    }
}

/// Another number for the next one from here on.
fn number(input: &mut Vec<u8>, from: usize, random: &mut Rng) {
    let Some(start) = input[from..].iter().position(u8::is_ascii_digit) else { return };
    let start = from + start;
    let length = input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = NUMBERS[random.usize(..NUMBERS.len())];
    input.splice(start..start + length, number.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_the_same_in_each_run_and_differ_among_each_other() {
        let seeds = [b"{\"n\": 12}".to_vec(), Vec::new(), vec![0xff; BYTES_MAX]];
        let make = || {
            let mut random = Rng::with_seed(1);
            (0..2_000).map(|_| mutated(&seeds, &mut random)).collect::<Vec<_>>()
        };
        let inputs = make();
        assert_eq!(inputs, make());
        assert!(inputs.iter().all(|input| input.len() <= BYTES_MAX));
        let mut distinct = inputs.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert!(distinct.len() > 1_000, "{}", distinct.len());
        let has = |text: &[u8]| inputs.iter().any(|it| it.windows(text.len()).any(|at| at == text));
        assert!(has(b"\"n\": 1e400"), "another number");
        assert!(has(b"\"n\"\"n\""), "a part of it again");
    }
}
