//! Decisions by example.

use __ident__::{
    commands::{AddTask, FinishTask, TaskCommand},
    domain::{TaskRejection, Tasks},
};
use __ident___events::{TaskAdded, TaskFinished};
use ledgerfold_testkit::Given;

fn added() -> TaskAdded {
    TaskAdded { title: "Water the plants".to_owned() }
}

#[test]
fn a_task_is_added_and_finished() {
    let add = AddTask { title: "Water the plants".to_owned() };
    Given::<Tasks>::nothing().when(TaskCommand::AddTask(add)).then([added().into()]);
    Given::<Tasks>::events([added().into()])
        .when(TaskCommand::FinishTask(FinishTask {}))
        .then([TaskFinished {}.into()]);
}

#[test]
fn a_task_is_finished_once() {
    Given::<Tasks>::events([added().into(), TaskFinished {}.into()])
        .when(TaskCommand::FinishTask(FinishTask {}))
        .then_refused(TaskRejection::AlreadyFinished);
}

#[test]
fn the_declaration_is_sound() {
    assert_eq!(__ident__::context().check(), Ok(()));
}
