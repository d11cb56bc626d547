// SPDX-License-Identifier: GPL-2.0

//! Which connections go when memory is short.

use arbitrary::{
    Result,
    Unstructured, //
};
use ktcpvs_core::shed::{
    Load,
    Plan,
    Standing,
    LITTLE, //
};

/// Times from this one on are alike.
const LONG: u64 = 15 << 22;

/// Chooses among any connections.
pub fn shed(data: &[u8]) {
    // What ends too early has said enough.
    let _ = choose(&mut Unstructured::new(data));
}

fn any_load(input: &mut Unstructured<'_>) -> Result<Load> {
    let flags: u8 = input.arbitrary()?;

    Ok(Load {
        size: match flags & 3 {
            0 => input.int_in_range(0..=3)?,
            1 => 1 << input.int_in_range(0..=63)?,
            2 => input.int_in_range(0..=1 << 20)?,
            _ => input.arbitrary()?,
        },
        standing: match flags & 12 {
            0 => Standing::Busy(input.int_in_range(0..=60_000)?),
            4 if flags & 16 != 0 => Standing::Fresh(input.int_in_range(0..=1100)?),
            4 => Standing::Spare(input.int_in_range(0..=60_000)?),
            8 => Standing::Idle(input.int_in_range(0..=60_000)?),
            _ => Standing::Idle(u64::from(input.arbitrary::<u16>()?) << 16),
        },
    })
}

fn size(loads: &[Load]) -> u128 {
    loads.iter().map(|load| u128::from(load.size)).sum()
}

fn choose(input: &mut Unstructured<'_>) -> Result<()> {
    let number = input.int_in_range(0..=40)?;
    let loads = (0..number)
        .map(|_| any_load(input))
        .collect::<Result<Vec<_>>>()?;
    let all = size(&loads);
    let bytes = match input.arbitrary()? {
        Some(bytes) => bytes,
        None => (all * u128::from(input.int_in_range(0..=64u8)?) / 64) as u64,
    };
    let spared = match input.arbitrary()? {
        true => input.int_in_range(0..=1 << 21)?,
        false => 0,
    };
    let mut plan = Plan::new();
    let [gone, stays] = split(&mut plan, &loads, bytes, spared);

    assert_eq!(u128::from(plan.total()), all.min(u64::MAX.into()));
    let fresh: Vec<Load> = loads.iter().copied().filter(is_fresh).collect();

    let most = all.min(u64::MAX.into()) - size(&fresh).min(spared.into());

    enough(&gone, bytes, most, spared);
    in_order(&gone, &stays, spared);
    // Of those that grew, shrank or came meanwhile any may go.
    for _ in 0..4 {
        plan.takes(&any_load(input)?);
    }
    plan.clear();
    assert_eq!(plan.total(), 0);
    assert!(!loads.iter().any(|load| plan.takes(load)));
    let again = split(&mut plan, &loads, bytes, spared);
    assert_eq!([again[0].len(), again[1].len()], [gone.len(), stays.len()]);
    Ok(())
}

fn is_fresh(load: &Load) -> bool {
    matches!(load.standing, Standing::Fresh(_))
}

/// Those of `loads` that go to be rid of `bytes`, and those that stay.
fn split(plan: &mut Plan, loads: &[Load], bytes: u64, spared: u64) -> [Vec<Load>; 2] {
    loads.iter().for_each(|load| plan.count(load));
    plan.choose(bytes, spared);
    let (gone, stays) = loads.iter().partition(|load| plan.takes(load));

    [gone, stays]
}

/// Enough go if `most` is enough; and the last one of them only where the others were too few. Where
/// fresh ones are spared there is a last one of them, too.
fn enough(gone: &[Load], bytes: u64, most: u128, spared: u64) {
    let bytes = u128::from(bytes);
    let freed = size(gone);
    let largest = gone.iter().map(|load| load.size).max().unwrap_or(0);
    let lasts = if spared > 0 { 2 } else { 1 };

    assert!(freed >= bytes.min(most), "{freed} of {bytes}");
    assert!(
        gone.is_empty() || freed < bytes + u128::from(largest).max(1) * lasts,
        "{freed} for {bytes}"
    );
    assert!(bytes > 0 || gone.is_empty());
}

/// Spare ones before fresh ones, these before idle ones unless they are spared, these before others,
/// those that have waited for longest before those that have clearly less, the largest before what is
/// less than half of them, and of those that take little the ones that have been busy for longest.
fn in_order(gone: &[Load], stays: &[Load], spared: u64) {
    let class = |load: &Load| match load.standing {
        Standing::Spare(_) => 0,
        Standing::Fresh(_) => 1,
        Standing::Idle(_) => 2,
        Standing::Busy(_) if load.size >= LITTLE => 3,
        Standing::Busy(_) => 4,
    };
    let little = |load: &Load| match load.standing {
        Standing::Busy(since) if load.size < LITTLE => Some(since.min(LONG)),
        _ => None,
    };
    let spare = |load: &Load| match load.standing {
        Standing::Spare(waited) => Some(waited.min(LONG)),
        _ => None,
    };
    let fresh = |load: &Load| match load.standing {
        Standing::Fresh(waited) => Some(waited.min(LONG)),
        _ => None,
    };
    let idle = |load: &Load| match load.standing {
        Standing::Idle(waited) => Some(waited.min(LONG)),
        _ => None,
    };
    let busy = |load: &Load| (class(load) == 3).then_some(load.size.min(1 << 39));

    if let Some(last) = gone.iter().map(class).max() {
        let may_stay = |load: &Load| is_fresh(load) && (spared > 0 || load.size == 0);
        let mut bound = stays.iter().filter(|load| !may_stay(load));

        assert!(bound.all(|load| class(load) >= last));
    }
    in_time(
        gone.iter().filter_map(spare),
        stays.iter().filter_map(spare),
    );
    in_time(
        gone.iter().filter_map(fresh),
        stays.iter().filter_map(fresh),
    );
    in_time(gone.iter().filter_map(idle), stays.iter().filter_map(idle));
    in_time(
        gone.iter().filter_map(little),
        stays.iter().filter_map(little),
    );
    if let (Some(least), Some(most)) = (
        gone.iter().filter_map(busy).min(),
        stays.iter().filter_map(busy).max(),
    ) {
        assert!(most < 2 * least.max(1), "{least} went before {most}");
    }
}

/// Nobody went who had waited for clearly less than one who stays.
fn in_time(gone: impl Iterator<Item = u64>, stays: impl Iterator<Item = u64>) {
    if let (Some(least), Some(most)) = (gone.min(), stays.max()) {
        assert!(most <= least + least / 8, "{least} went before {most}");
    }
}
