//! Everything that can happen to a few orchestrations and entities: messages between any two in order,
//! between different ones in any order; doubles; crashes; ends of every sort.
//!
//! Begin with [`World::moves`] and [`World::make`].

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use durable::{
    entity::{BatchEnd, EntityState, OperationEnd, Presence, Sorter, Turn, TurnOptions, message},
    history::{EventId, EventKind, LockOwner, RequestId, TaskMessage},
    model::{EntityId, Payload, Timestamp},
};

use super::{
    ledger::Ledger,
    mutants::Mutant,
    orchestration::{Act, Orchestration, Sent},
};

const WINDOW: Duration = Duration::from_secs(30 * 60);
const NOW: Timestamp = Timestamp::UNIX_EPOCH;
/// How many delivered messages may come again.
const ECHOES: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Party {
    Client,
    Orchestration(usize),
    Entity(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    Step(usize),
    Deliver(Party, Party),
    Run(usize),
    // From here on, faults.
    /// The state is kept, and then the process ends: the messages come again, and go out again.
    RunAndCrash(usize),
    /// A message that was delivered comes again.
    Echo(usize),
    GiveUp(usize),
    Terminate(usize),
    ContinueAsNew(usize),
    Restart(usize),
    /// An execution ends and nobody knows what it held; the engine looks up its locks.
    Vanish(usize),
    Break(usize),
}

impl Move {
    pub(super) fn is_fault(self) -> bool {
        match self {
            Self::Step(_) | Self::Deliver(..) | Self::Run(_) => false,
            Self::RunAndCrash(_)
            | Self::Echo(_)
            | Self::GiveUp(_)
            | Self::Terminate(_)
            | Self::ContinueAsNew(_)
            | Self::Restart(_)
            | Self::Vanish(_)
            | Self::Break(_) => true,
        }
    }
}

#[derive(Debug, Clone)]
struct Entity {
    /// What is stored of it: nothing else survives a turn.
    kept: String,
    inbox: Vec<TaskMessage>,
    echoes: VecDeque<TaskMessage>,
}

#[derive(Debug, Clone)]
pub(super) struct World {
    orchestrations: Vec<Orchestration>,
    sorters: Vec<Sorter>,
    entities: Vec<Entity>,
    ids: Vec<EntityId>,
    under_way: BTreeMap<(Party, Party), VecDeque<TaskMessage>>,
    ledger: Ledger,
    mutant: Mutant,
    most_operations: usize,
    has_pinged: bool,
    pub(super) has_vanished: bool,
    pub(super) freed: u64,
    pub(super) contended: u64,
}

impl World {
    pub(super) fn new(
        programs: Vec<Vec<Act>>,
        entities: usize,
        most_operations: usize,
        mutant: Mutant,
    ) -> Self {
        let entity = Entity { kept: "{}".into(), inbox: Vec::new(), echoes: VecDeque::new() };
        Self {
            sorters: vec![Sorter::default(); programs.len()],
            orchestrations: (0..)
                .zip(programs)
                .map(|(at, program)| Orchestration::new(at, program))
                .collect(),
            entities: vec![entity; entities],
            ids: (0..entities).map(|at| EntityId::new("e", at).unwrap()).collect(),
            under_way: BTreeMap::new(),
            ledger: Ledger::default(),
            mutant,
            most_operations,
            has_pinged: false,
            has_vanished: false,
            freed: 0,
            contended: 0,
        }
    }

    /// What can happen next, without faults and with.
    pub(super) fn moves(&self, with_faults: bool) -> Vec<Move> {
        let mut moves = Vec::new();
        // What vanishes after the last look at all entities would rightly leave its locks behind.
        let with_faults = with_faults && !self.has_pinged;
        for (at, orchestration) in self.orchestrations.iter().enumerate() {
            if orchestration.is_ready(&self.ids) {
                moves.push(Move::Step(at));
            }
            if !with_faults {
                continue;
            }
            if orchestration.is_waiting_for_lock() {
                moves.push(Move::GiveUp(at));
            }
            moves.extend(match orchestration.has_ended {
                true => vec![Move::Restart(at)],
                false => vec![Move::Terminate(at), Move::ContinueAsNew(at), Move::Vanish(at)],
            });
        }
        let pairs = self.under_way.iter().filter(|(_, messages)| !messages.is_empty());
        moves.extend(pairs.map(|((from, to), _)| Move::Deliver(*from, *to)));
        for (at, entity) in self.entities.iter().enumerate() {
            if !entity.inbox.is_empty() {
                moves.push(Move::Run(at));
            }
            if with_faults {
                moves.extend((!entity.inbox.is_empty()).then_some(Move::RunAndCrash(at)));
                moves.extend((!entity.echoes.is_empty()).then_some(Move::Echo(at)));
                moves.extend(self.kept(at).lock().is_some().then_some(Move::Break(at)));
            }
        }
        moves
    }

    pub(super) fn make(&mut self, next: Move) -> Result<(), String> {
        match next {
            Move::Step(at) => self.step(at),
            Move::Deliver(from, to) => self.deliver(from, to),
            Move::Run(at) => self.run(at, false)?,
            Move::RunAndCrash(at) => self.run(at, true)?,
            Move::Echo(at) => {
                let entity = &mut self.entities[at];
                entity.inbox.extend(entity.echoes.pop_front());
            }
            Move::GiveUp(at) => {
                let messages = self.orchestrations[at].give_up(NOW);
                self.send(at, messages);
            }
            Move::Terminate(at) => self.end(at),
            Move::ContinueAsNew(at) => {
                self.end(at);
                self.restart(at);
            }
            Move::Restart(at) => self.restart(at),
            Move::Vanish(at) => self.vanish(at),
            Move::Break(at) => {
                let owner = self.kept(at).lock().map(|lock| lock.owner.clone());
                self.order_break(at, owner);
            }
        }
        self.ledger.check_exclusion(&self.orchestrations)
    }

    /// Once nothing more can happen: looks at what is left, and asks every entity for a sign of life.
    /// Whether that was all.
    pub(super) fn rest(&mut self) -> Result<bool, String> {
        if let Some(stuck) = self.orchestrations.iter().find(|orchestration| !orchestration.has_ended) {
            let kept: Vec<_> = self.entities.iter().map(|entity| &entity.kept).collect();
            return Err(format!("{} waits for ever; entities: {kept:?}", stuck.started.execution));
        }
        for at in 0..self.entities.len() {
            let kept = self.kept(at);
            // Before somebody asks for it, the lock of an owner that vanished may be held.
            let may_leak = self.has_vanished && !self.has_pinged;
            if let Some(lock) = kept.lock().filter(|_| !may_leak) {
                return Err(format!("entity {at} stays locked by {}", lock.owner));
            }
            if kept.queue_length() > 0 {
                return Err(format!("entity {at} has a queue that nobody will look at"));
            }
        }
        if self.has_pinged {
            return self.ledger.check_balance().map(|()| true);
        }
        self.has_pinged = true;
        for entity in 0..self.entities.len() {
            let number = self.ledger.next_number();
            let sent = Sent { number, entity, section: None, task: EventId::NONE };
            self.ledger.send(None, sent);
            let input = Payload::of(&number).unwrap();
            let ping = message::signal(&self.ids[entity], None, "ping".into(), input, None, NOW);
            self.post(Party::Client, ping);
        }
        Ok(false)
    }

    fn step(&mut self, at: usize) {
        let number = self.ledger.next_number();
        let (messages, sent) = self.orchestrations[at].step(&self.ids, number, self.mutant, NOW);
        if let Some(sent) = sent {
            let execution = self.orchestrations[at].started.execution.clone();
            self.ledger.send(Some(execution), sent);
        }
        self.send(at, messages);
    }

    fn end(&mut self, at: usize) {
        let messages = self.orchestrations[at].end(self.mutant, NOW);
        self.send(at, messages);
    }

    fn restart(&mut self, at: usize) {
        self.orchestrations[at].begin_anew();
        self.sorters[at] = Sorter::default();
    }

    fn vanish(&mut self, at: usize) {
        self.has_vanished = true;
        self.orchestrations[at].vanish();
        let execution = Some(self.orchestrations[at].started.execution.clone());
        for entity in 0..self.entities.len() {
            let owner = self.kept(entity).lock().map(|lock| lock.owner.clone());
            if let Some(owner) = owner.filter(|owner| owner.execution == execution) {
                self.order_break(entity, Some(owner));
            }
        }
    }

    fn order_break(&mut self, at: usize, owner: Option<LockOwner>) {
        if let Some(owner) = &owner {
            self.ledger.order_break(owner, at);
        }
        self.post(Party::Client, message::break_lock(&self.ids[at], owner, NOW));
    }

    /// Sends what an orchestration sends, each in its place.
    fn send(&mut self, at: usize, messages: Vec<TaskMessage>) {
        let mut bent = Vec::new();
        messages.into_iter().for_each(|message| self.mutant.sent(message, &mut bent));
        for mut message in bent {
            if let EventKind::EntityRequested(request) = &mut message.event.kind {
                request.place = Some(self.sorters[at].send(&message.instance, NOW, WINDOW));
            }
            self.post(Party::Orchestration(at), message);
        }
    }

    fn post(&mut self, from: Party, message: TaskMessage) {
        let entity = self.ids.iter().position(|id| id.as_str() == message.instance.as_str());
        let to = entity.map_or_else(
            || {
                let is_it = |one: &Orchestration| one.started.instance == message.instance;
                Party::Orchestration(self.orchestrations.iter().position(is_it).unwrap())
            },
            Party::Entity,
        );
        self.under_way.entry((from, to)).or_default().push_back(message);
    }

    fn deliver(&mut self, from: Party, to: Party) {
        let messages = self.under_way.get_mut(&(from, to)).unwrap();
        let mut message = messages.pop_front().unwrap();
        match to {
            Party::Orchestration(at) => self.orchestrations[at].receive(&message),
            Party::Entity(at) => {
                let saved = self.kept(at);
                self.mutant.received(&mut message, &saved);
                let entity = &mut self.entities[at];
                if comes_again(&message) {
                    entity.echoes.push_back(message.clone());
                    entity.echoes.drain(..entity.echoes.len().saturating_sub(ECHOES));
                }
                entity.inbox.push(message);
            }
            Party::Client => panic!("nobody writes to clients"),
        }
    }

    fn run(&mut self, at: usize, crashes: bool) -> Result<(), String> {
        let options =
            TurnOptions { now: NOW, most_operations: self.most_operations, reorder_window: Some(WINDOW) };
        let mut turn = Turn::new(self.ids[at].clone(), self.kept(at), options);
        turn.take(&self.entities[at].inbox);
        while let Some(owner) = turn.doubt().cloned() {
            self.contended += 1;
            let presence = self.presence(&owner);
            if presence == Presence::Gone {
                self.freed += 1;
                self.ledger.order_break(&owner, at);
            }
            turn.learn(presence);
        }
        let operations = turn.operations();
        for operation in &operations {
            self.ledger.execute(operation.input.read().unwrap(), at, &self.orchestrations)?;
        }
        let done = OperationEnd { result: Ok(Payload::null()), sent: Vec::new() };
        let end = turn.finish(BatchEnd { state: None, ends: vec![done; operations.len()] });
        self.note_refusals(&end.messages)?;
        self.entities[at].kept = self.mutant.kept(&end.state);
        match crashes {
            true => self.entities[at].inbox.retain(comes_again),
            false => self.entities[at].inbox.clear(),
        }
        for message in end.messages {
            if crashes {
                self.post(Party::Entity(at), message.clone());
            }
            self.post(Party::Entity(at), message);
        }
        Ok(())
    }

    fn note_refusals(&mut self, messages: &[TaskMessage]) -> Result<(), String> {
        for message in messages {
            if let (EventKind::EntityOperationFailed { task, .. }, Some(execution)) =
                (&message.event.kind, &message.execution)
            {
                self.ledger.refuse(execution, *task)?;
            }
        }
        Ok(())
    }

    fn presence(&self, owner: &LockOwner) -> Presence {
        let is_live = self.orchestrations.iter().any(|orchestration| {
            !orchestration.has_ended && owner.execution.as_ref() == Some(&orchestration.started.execution)
        });
        if is_live || self.mutant == Mutant::NobodyIsGone { Presence::Live } else { Presence::Gone }
    }

    fn kept(&self, at: usize) -> EntityState {
        serde_json::from_str(&self.entities[at].kept).unwrap()
    }

    /// All that decides what can happen next, for recognising a world that was met before.
    pub(super) fn fingerprint(&self) -> String {
        format!(
            "{:?}",
            (&self.orchestrations, &self.entities, &self.under_way, self.has_pinged, &self.ledger)
        )
    }
}

/// Whether a store may deliver a message twice without anybody's harm: those with a place are
/// recognised, orders and reminders may be given twice.
fn comes_again(message: &TaskMessage) -> bool {
    let EventKind::EntityRequested(request) = &message.event.kind else { return false };
    request.sender.is_some()
}

#[test]
fn a_world_names_its_owners_by_execution() {
    let world = World::new(vec![vec![]], 1, 1, Mutant::None);
    let mut owner = LockOwner {
        instance: world.orchestrations[0].started.instance.clone(),
        execution: Some(world.orchestrations[0].started.execution.clone()),
        section: RequestId::Task(EventId::FIRST),
    };
    assert_eq!(world.presence(&owner), Presence::Live);
    owner.execution = Some(durable::model::ExecutionId::new("o0-9"));
    assert_eq!(world.presence(&owner), Presence::Gone);
}
