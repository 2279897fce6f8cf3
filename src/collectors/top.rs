//! The few largest of many.

/// The `capacity` largest values offered since it was cleared, the largest first. Of equal values
/// the one offered first stays.
pub struct Top {
    capacity: usize,
    entries: Vec<Entry>,
}

/// A process and its value.
pub struct Entry {
    pub value: f64,
    pub pid: u32,
    /// Its name, as the kernel keeps it; any bytes.
    pub name: Vec<u8>,
}

impl Top {
    pub fn new(capacity: usize) -> Self {
        Self { capacity, entries: Vec::new() }
    }

    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Keeps the process if it is among the largest. One with nothing is not worth a mention.
    pub fn offer(&mut self, value: f64, pid: u32, name: &[u8]) {
        let place = self.entries.partition_point(|entry| entry.value >= value);
        if value <= 0.0 || place >= self.capacity {
            return;
        }
        self.entries.truncate(self.capacity - 1);
        self.entries.insert(place, Entry { value, pid, name: name.to_owned() });
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn like_sorting_them_all(values in prop::collection::vec(0u8..20, 0..50), capacity in 0usize..6) {
            let mut top = Top::new(capacity);
            let mut all = Vec::new();
            for (pid, value) in (1..).zip(values) {
                top.offer(f64::from(value), pid, b"");
                all.push((f64::from(value), pid));
            }
            all.retain(|(value, _)| *value > 0.0);
            all.sort_by(|a, b| b.0.total_cmp(&a.0));
            all.truncate(capacity);
            let kept: Vec<_> = top.entries().iter().map(|entry| (entry.value, entry.pid)).collect();
            prop_assert_eq!(kept, all);
        }
    }
}
