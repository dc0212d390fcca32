//! The laws of the model, over random sequences of operations: after each of them they hold, and
//! one that fails has changed nothing.

#![expect(clippy::unwrap_used, reason = "a test may panic; helpers outside of `#[test]` too")]

mod checks;
mod operations;
mod reserved;

use hawser_model::Model;
use proptest::prelude::*;

use operations::{operation, run};
use reserved::Reserved;

proptest! {
    #[test]
    fn laws_hold_after_every_operation(
        operations in prop::collection::vec(operation(), 0..80)
    ) {
        let (mut model, mut reserved) = (Model::default(), Reserved::default());
        for (step, operation) in operations.iter().enumerate() {
            let before = model.clone();
            match run(&mut model, u8::try_from(step).unwrap(), operation) {
                Ok(touched) => {
                    checks::touched(&before, &model, &touched);
                    checks::next_free(&before, &model, &reserved, operation);
                    reserved.follow(operation);
                }
                Err(_) => prop_assert_eq!(&model, &before),
            }
            checks::laws(&model, &reserved);
            let mut loaded = Model::from_records(model.records()).unwrap();
            reserved.tell(&mut loaded);
            prop_assert_eq!(&loaded, &model);
        }
    }

    #[test]
    fn what_is_undone_leaves_nothing(operations in prop::collection::vec(operation(), 0..40)) {
        let mut model = Model::default();
        for (step, operation) in operations.iter().enumerate() {
            let _ = run(&mut model, u8::try_from(step).unwrap(), operation);
        }
        (0..8).for_each(|n| model.end_reservations(operations::sandbox(n)));
        for id in model.sandboxes().map(|s| s.id).collect::<Vec<_>>() {
            model.remove_sandbox(id).unwrap();
        }
        let (templates, others): (Vec<_>, Vec<_>) =
            model.networks().map(|n| (n.id, n.config_only)).partition(|(_, template)| *template);
        for (id, _) in others.into_iter().chain(templates) {
            model.remove_network(id).unwrap();
        }
        prop_assert_eq!(model, Model::default());
    }
}
