//! Unified differences as Python's `difflib` finds them, which Go's `go-difflib` follows.

use std::collections::HashMap;

const CONTEXT: usize = 3;

/// A run of equal lines: where it begins in either text, and its length.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Block {
    old: usize,
    new: usize,
    len: usize,
}

/// What became of a run of lines: `old` became `new`; they are equal, or not.
#[derive(Debug, Clone)]
struct Change {
    equal: bool,
    old: (usize, usize),
    new: (usize, usize),
}

/// The difference between two texts with three lines of context and without a header; empty if there is none.
pub(crate) fn unified(old: &str, new: &str) -> String {
    let old: Vec<&str> = old.split('\n').collect();
    let new: Vec<&str> = new.split('\n').collect();
    let mut out = String::new();
    for group in groups(changes(&old, &new)) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        out.push_str(&format!(
            "@@ -{} +{} @@\n",
            range(first.old.0, last.old.1),
            range(first.new.0, last.new.1)
        ));
        for change in &group {
            if change.equal {
                write(&mut out, ' ', &old[change.old.0..change.old.1]);
            } else {
                write(&mut out, '-', &old[change.old.0..change.old.1]);
                write(&mut out, '+', &new[change.new.0..change.new.1]);
            }
        }
    }
    out
}

fn write(out: &mut String, sign: char, lines: &[&str]) {
    for line in lines {
        out.push(sign);
        out.push_str(line);
        out.push('\n');
    }
}

fn range(start: usize, stop: usize) -> String {
    match stop - start {
        1 => format!("{}", start + 1),
        0 => format!("{start},0"),
        len => format!("{},{len}", start + 1),
    }
}

/// All changes in order, equal runs included.
fn changes(old: &[&str], new: &[&str]) -> Vec<Change> {
    let mut changes = Vec::new();
    let (mut i, mut j) = (0, 0);
    for block in blocks(old, new) {
        if i < block.old || j < block.new {
            changes.push(Change {
                equal: false,
                old: (i, block.old),
                new: (j, block.new),
            });
        }
        i = block.old + block.len;
        j = block.new + block.len;
        if block.len > 0 {
            changes.push(Change {
                equal: true,
                old: (block.old, i),
                new: (block.new, j),
            });
        }
    }
    changes
}

/// Changes with their surroundings; those that are close share a group.
fn groups(mut changes: Vec<Change>) -> Vec<Vec<Change>> {
    if let Some(first) = changes.first_mut()
        && first.equal
    {
        first.old.0 = first.old.0.max(first.old.1.saturating_sub(CONTEXT));
        first.new.0 = first.new.0.max(first.new.1.saturating_sub(CONTEXT));
    }
    if let Some(last) = changes.last_mut()
        && last.equal
    {
        last.old.1 = last.old.1.min(last.old.0 + CONTEXT);
        last.new.1 = last.new.1.min(last.new.0 + CONTEXT);
    }
    let mut groups = Vec::new();
    let mut group: Vec<Change> = Vec::new();
    for mut change in changes {
        if change.equal && change.old.1 - change.old.0 > 2 * CONTEXT {
            let mut head = change.clone();
            head.old.1 = head.old.1.min(head.old.0 + CONTEXT);
            head.new.1 = head.new.1.min(head.new.0 + CONTEXT);
            group.push(head);
            groups.push(std::mem::take(&mut group));
            change.old.0 = change.old.0.max(change.old.1 - CONTEXT);
            change.new.0 = change.new.0.max(change.new.1 - CONTEXT);
        }
        group.push(change);
    }
    if !(group.is_empty() || (group.len() == 1 && group[0].equal)) {
        groups.push(group);
    }
    groups
}

/// The matching runs, adjacent ones joined, and last an empty one at the ends.
fn blocks(old: &[&str], new: &[&str]) -> Vec<Block> {
    let places = places(new);
    let mut found = Vec::new();
    let mut open = vec![(0, old.len(), 0, new.len())];
    while let Some((old_low, old_high, new_low, new_high)) = open.pop() {
        let block = longest(old, new, &places, (old_low, old_high, new_low, new_high));
        if block.len == 0 {
            continue;
        }
        open.push((old_low, block.old, new_low, block.new));
        open.push((
            block.old + block.len,
            old_high,
            block.new + block.len,
            new_high,
        ));
        found.push(block);
    }
    found.sort_unstable_by_key(|block| (block.old, block.new));
    let mut joined: Vec<Block> = Vec::new();
    for block in found {
        match joined.last_mut() {
            Some(last) if last.old + last.len == block.old && last.new + last.len == block.new => {
                last.len += block.len;
            }
            _ => joined.push(block),
        }
    }
    joined.push(Block {
        old: old.len(),
        new: new.len(),
        len: 0,
    });
    joined
}

/// Where each line stands in the new text. In long texts, frequent lines start no match.
fn places<'a>(new: &[&'a str]) -> HashMap<&'a str, Vec<usize>> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, line) in new.iter().enumerate() {
        places.entry(line).or_default().push(index);
    }
    if new.len() >= 200 {
        let limit = new.len() / 100 + 1;
        places.retain(|_, at| at.len() <= limit);
    }
    places
}

/// The longest run that both texts share within bounds; of equally long ones the first.
fn longest(
    old: &[&str],
    new: &[&str],
    places: &HashMap<&str, Vec<usize>>,
    (old_low, old_high, new_low, new_high): (usize, usize, usize, usize),
) -> Block {
    let mut best = Block {
        old: old_low,
        new: new_low,
        len: 0,
    };
    let mut lengths: HashMap<usize, usize> = HashMap::new();
    for (i, line) in old.iter().enumerate().take(old_high).skip(old_low) {
        let mut next = HashMap::new();
        for &j in places.get(line).map_or(&[][..], Vec::as_slice) {
            if j < new_low {
                continue;
            }
            if j >= new_high {
                break;
            }
            let before = j.checked_sub(1).and_then(|j| lengths.get(&j)).copied();
            let len = before.unwrap_or_default() + 1;
            next.insert(j, len);
            if len > best.len {
                best = Block {
                    old: i + 1 - len,
                    new: j + 1 - len,
                    len,
                };
            }
        }
        lengths = next;
    }
    while best.old > old_low && best.new > new_low && old[best.old - 1] == new[best.new - 1] {
        best = Block {
            old: best.old - 1,
            new: best.new - 1,
            len: best.len + 1,
        };
    }
    while best.old + best.len < old_high
        && best.new + best.len < new_high
        && old[best.old + best.len] == new[best.new + best.len]
    {
        best.len += 1;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::unified;

    #[test]
    fn changes_stand_between_their_neighbours() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl";
        let new = "a\nb\nc\nX\ne\nf\ng\nh\ni\nj\nk\nl\nm";
        assert_eq!(
            unified(old, new),
            "@@ -1,7 +1,7 @@\n a\n b\n c\n-d\n+X\n e\n f\n g\n@@ -10,3 +10,4 @@\n j\n k\n l\n+m\n"
        );
        assert_eq!(unified(old, old), "");
        assert_eq!(unified("a\nb", "a\nc"), "@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
    }
}
