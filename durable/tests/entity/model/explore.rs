//! Ways through a world: random ones through many, all of them through a small one.
//!
//! Begin with [`walk`] and [`every_path`].

use std::collections::BTreeSet;

use super::{
    mutants::Mutant,
    orchestration::Act,
    random::{Random, mix},
    world::{Move, World},
};

/// What the walks met.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    moves: u64,
    faults: u64,
    contended: u64,
    freed: u64,
    vanished: u64,
}

impl Tally {
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            moves: self.moves + other.moves,
            faults: self.faults + other.faults,
            contended: self.contended + other.contended,
            freed: self.freed + other.freed,
            vanished: self.vanished + other.vanished,
        }
    }

    pub(super) fn is_rich(&self) -> bool {
        self.contended * 50 > self.moves / 10 && self.freed > 100 && self.vanished > 100 && self.faults > 1000
    }
}

/// One random walk through a random world.
pub(super) fn walk(seed: u64, mutant: Mutant, tally: &mut Tally) -> Result<(), String> {
    let mut random = Random::new(mix(seed, 1));
    let entities = random.between(2, 3);
    let programs = (0..random.between(2, 4)).map(|_| program(&mut random, entities)).collect();
    let most_operations = if random.chance(30) { random.between(1, 2) } else { 100 };
    let mut world = World::new(programs, entities, most_operations, mutant);
    let mut faults = random.below(5);
    let mut path = Vec::new();
    walk_on(&mut world, &mut random, &mut faults, &mut path, tally)
        .map_err(|wrong| format!("{wrong}, after {path:?}"))?;
    tally.contended += world.contended;
    tally.freed += world.freed;
    tally.vanished += u64::from(world.has_vanished);
    Ok(())
}

fn walk_on(
    world: &mut World,
    random: &mut Random,
    faults: &mut usize,
    path: &mut Vec<Move>,
    tally: &mut Tally,
) -> Result<(), String> {
    loop {
        let moves = world.moves(false);
        if moves.is_empty() {
            if world.rest()? {
                return Ok(());
            }
            continue;
        }
        let mut next = moves[random.below(moves.len())];
        if *faults > 0 && random.chance(12) {
            let possible: Vec<Move> = world.moves(true).into_iter().filter(|one| one.is_fault()).collect();
            if !possible.is_empty() {
                next = possible[random.below(possible.len())];
                *faults -= 1;
                tally.faults += 1;
            }
        }
        tally.moves += 1;
        path.push(next);
        world.make(next)?;
    }
}

fn program(random: &mut Random, entities: usize) -> Vec<Act> {
    let mut acts = Vec::new();
    for _ in 0..random.between(1, 2) {
        if random.chance(40) {
            let entity = random.below(entities);
            acts.push(if random.chance(50) { Act::Call(entity) } else { Act::Signal(entity) });
        }
        let set: Vec<usize> = (0..random.between(1, 3)).map(|_| random.below(entities)).collect();
        acts.push(Act::Lock(set.clone()));
        for _ in 0..random.below(4) {
            acts.push(Act::Call(set[random.below(set.len())]));
        }
        acts.push(Act::Unlock);
    }
    if random.chance(20) {
        acts.pop();
    }
    acts
}

/// Every path of two sections that cross, with at most so many faults anywhere. How many states there are;
/// stops after `most`.
pub(super) fn every_path(faults: usize, most: usize) -> Result<usize, String> {
    let programs = vec![
        vec![Act::Lock(vec![0, 1]), Act::Call(1), Act::Unlock],
        vec![Act::Lock(vec![1, 0]), Act::Call(0), Act::Unlock],
    ];
    let mut open = vec![(World::new(programs, 2, 100, Mutant::None), faults, 0)];
    let mut met = BTreeSet::new();
    while let Some((mut world, faults, depth)) = open.pop() {
        if met.len() >= most {
            break;
        }
        let mut moves = world.moves(faults > 0);
        // Messages that an entity takes together are the random walks' business: here each is a turn.
        if let Some(entity) =
            moves.iter().find_map(|one| if let Move::Run(at) = one { Some(*at) } else { None })
        {
            moves.retain(|one| [Move::Run(entity), Move::RunAndCrash(entity)].contains(one));
        }
        if moves.iter().all(|one| one.is_fault()) && !world.rest()? {
            open.push((world, 0, depth + 1));
            continue;
        }
        for next in moves {
            let mut then = world.clone();
            then.make(next).map_err(|wrong| format!("after {depth} moves, {next:?}: {wrong}"))?;
            let faults = faults - usize::from(next.is_fault());
            if met.insert(digest(&(then.fingerprint(), faults))) {
                open.push((then, faults, depth + 1));
            }
        }
    }
    Ok(met.len())
}

fn digest(state: &(String, usize)) -> u128 {
    let half = |salt| {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        (salt, state).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}
