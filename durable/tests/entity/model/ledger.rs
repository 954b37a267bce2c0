//! What was asked for and what became of it: the books that must balance.

use std::collections::{BTreeMap, BTreeSet};

use durable::{
    history::{EventId, LockOwner, RequestId},
    model::ExecutionId,
};

use super::orchestration::{Orchestration, Sent};

#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    /// Operations by number, with the execution that sent them; `None` for clients.
    sent: BTreeMap<u64, (Option<ExecutionId>, Sent)>,
    executed: BTreeSet<u64>,
    refused: BTreeSet<u64>,
    /// The last operation that ran, for each sender and entity.
    last: BTreeMap<(ExecutionId, usize), u64>,
    /// Sections that an entity was ordered to break.
    broken: BTreeSet<(ExecutionId, EventId, usize)>,
}

impl Ledger {
    pub(super) fn next_number(&self) -> u64 {
        self.sent.len() as u64
    }

    pub(super) fn send(&mut self, execution: Option<ExecutionId>, sent: Sent) {
        self.sent.insert(sent.number, (execution, sent));
    }

    pub(super) fn order_break(&mut self, owner: &LockOwner, entity: usize) {
        if let (Some(execution), RequestId::Task(section)) = (&owner.execution, &owner.section) {
            self.broken.insert((execution.clone(), *section, entity));
        }
    }

    /// An operation runs: once, in order, and alone if somebody is in a section of the entity.
    pub(super) fn execute(
        &mut self,
        number: u64,
        entity: usize,
        orchestrations: &[Orchestration],
    ) -> Result<(), String> {
        let (sender, sent) = self.sent[&number].clone();
        if !self.executed.insert(number) || self.refused.contains(&number) {
            return Err(format!("operation {number} ran twice, or after it was refused"));
        }
        for orchestration in orchestrations {
            let execution = &orchestration.started.execution;
            let Some((section, entities)) = orchestration.inside() else { continue };
            let is_own = sender.as_ref() == Some(execution) && sent.section.is_none_or(|of| of == *section);
            let is_broken = self.broken.contains(&(execution.clone(), *section, entity));
            if entities.contains(&entity) && !is_broken && !is_own {
                return Err(format!(
                    "operation {number} of {sender:?} ran on entity {entity}, locked by {execution}"
                ));
            }
        }
        let Some(sender) = sender else { return Ok(()) };
        let last = self.last.insert((sender.clone(), entity), number);
        match last.filter(|last| *last > number) {
            Some(last) => Err(format!("operations {last} and {number} of {sender} ran in the wrong order")),
            None => Ok(()),
        }
    }

    /// A call is refused: only after its lock was broken.
    pub(super) fn refuse(&mut self, execution: &ExecutionId, task: EventId) -> Result<(), String> {
        let call = self.sent.values().find(|(of, sent)| of.as_ref() == Some(execution) && sent.task == task);
        let Some((_, sent)) = call else { return Err(format!("nobody called {execution} {task}")) };
        self.refused.insert(sent.number);
        let section = sent.section.ok_or("an operation outside a section was refused")?;
        match self.broken.contains(&(execution.clone(), section, sent.entity)) {
            true => Ok(()),
            false => Err(format!("operation {} of {execution} was refused for no reason", sent.number)),
        }
    }

    /// Two orchestrations must not be in sections that have an entity in common.
    pub(super) fn check_exclusion(&self, orchestrations: &[Orchestration]) -> Result<(), String> {
        let mut holders = BTreeMap::new();
        for orchestration in orchestrations {
            let execution = &orchestration.started.execution;
            let Some((section, entities)) = orchestration.inside() else { continue };
            for entity in entities {
                let is_broken = self.broken.contains(&(execution.clone(), *section, *entity));
                if let Some(other) = (!is_broken).then(|| holders.insert(entity, execution)).flatten() {
                    return Err(format!("{other} and {execution} both hold entity {entity}"));
                }
            }
        }
        Ok(())
    }

    /// At the end: nothing that was asked for was lost.
    pub(super) fn check_balance(&self) -> Result<(), String> {
        let lost =
            self.sent.keys().find(|number| !self.executed.contains(number) && !self.refused.contains(number));
        lost.map_or(Ok(()), |number| Err(format!("operation {number} was lost: {:?}", self.sent[number])))
    }
}
