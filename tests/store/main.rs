//! The store: one body of tests on SQLite and on a real PostgreSQL, and what only one of them has.

mod access;
mod backup;
mod cases;
mod events;
mod full;
mod ladders;
mod older;
mod outage;
mod published;
mod retention;
mod torn;
mod world;

use anyhow::{Context, Result};
use strowger_server::store::Place;
use strowger_tests::Postgres;
use tempfile::TempDir;

use crate::world::{Database, run};

/// Runs every case on a file, as a test of its own, and all of them on one server, each in a database of its own.
macro_rules! on_both {
    ($($module:ident::$case:ident,)*) => {
        mod on_sqlite {
            use super::*;
            $(
                #[test]
                fn $case() -> Result<()> {
                    let folder = TempDir::new()?;
                    let database = Database::file(folder.path());
                    run($module::$case(&database))
                }
            )*
        }

        #[test]
        fn on_postgresql() -> Result<()> {
            let server = Postgres::start()?;
            $(
                let folder = TempDir::new()?;
                let name = stringify!($case);
                let database = Database::server(&server, name, folder.path())?;
                run($module::$case(&database)).context(name)?;
            )*
            Ok(())
        }
    };
}

on_both! {
    cases::contacts_are_found_and_journals_come_back_as_written,
    cases::all_of_many_contacts_is_there_in_order,
    cases::a_key_is_set_read_compared_and_gone_in_time,
    cases::spaces_are_apart,
    cases::of_changes_at_the_same_time_each_sees_the_one_before,
    cases::limits_of_keys_are_held,
    cases::bytes_and_a_tenants_sums_are_held,
    cases::keys_that_are_over_count_against_nobody_and_go,
    cases::a_vault_is_kept_replaced_and_sealed_anew,
    cases::what_is_set_while_the_key_changes_is_of_the_key_that_holds,
    cases::what_a_former_engine_left_open_is_closed,
    cases::a_call_that_waits_for_its_caller_is_left_open,
    cases::all_is_there_after_opening_again,
    cases::what_the_store_refuses_is_lost_alone,
    cases::a_caller_may_be_called_anything,
    access::tokens_are_found_listed_and_revoked,
    access::users_sign_in_and_out,
    access::every_change_is_in_the_log_or_was_not_made,
    published::versions_are_kept_once_and_revisions_counted,
    published::of_two_who_release_at_once_one_is_overtaken,
    published::twenty_thousand_versions_are_looked_through,
    published::spent_revisions_go_with_files_that_no_other_has,
    published::a_revision_whose_file_went_meanwhile_is_not_kept,
    published::what_another_engine_released_meanwhile_does_not_go,
    published::a_version_is_signed_anew_with_the_same_bytes_alone,
    published::roll_backs_of_before_are_known_by_the_audit_log,
    access::a_key_is_for_one_request,
    access::keys_of_visitors_are_settled_by_what_there_is,
    cases::records_are_committed_with_the_end_and_come_in_pages,
    cases::a_contact_cut_by_a_crash_gets_a_record_of_its_journal,
    cases::a_damaged_record_is_left_out_and_named,
    retention::errors_and_the_first_of_each_path_outlive_the_rest,
    retention::above_the_bound_the_ordinary_go_before_the_rare,
    retention::above_the_bound_failures_alike_go_before_the_last_of_another_path,
    retention::each_tenant_is_held_to_its_own_days_and_bounds,
    retention::a_number_is_forgotten_whole_and_again_after_a_cut,
    retention::a_number_is_found_however_it_is_spelt,
    retention::mentions_that_last_are_counted_as_lasting_alone,
    retention::old_lines_of_the_audit_log_go,
    ladders::messages_come_back_in_order_and_go_with_the_journal,
    ladders::a_number_in_a_ladder_is_a_mention,
    events::what_happened_is_noted_once_for_each_webhook,
    events::what_was_to_be_told_to_a_webhook_that_is_gone_is_a_dead_letter,
    events::tenants_are_told_of_in_turn,
    events::an_event_is_known_to_its_tenant_alone,
}

#[test]
fn engines_that_share_a_database_leave_each_others_contacts_open() -> Result<()> {
    let server = Postgres::start()?;
    let (one, other) = (TempDir::new()?, TempDir::new()?);
    server.create("shared")?;
    let places = [
        server.place("shared", one.path())?,
        server.place("shared", other.path())?,
    ];
    run(async {
        let [one, other] = &places;
        world::begin(one, "contact-one").await?;
        world::begin(other, "contact-other").await?;
        let store = world::open(one).await?;
        assert_eq!(store.close_orphans(5).await?, 1);
        let open = world::ended(&store).await?;
        assert_eq!(
            open,
            [
                ("contact-one".to_owned(), Some(5)),
                ("contact-other".to_owned(), None)
            ]
        );
        Ok(())
    })
}

/// Each engine has the recordings of its own contacts: the other one knows where they are, and leaves what knows of them.
#[test]
fn a_number_is_forgotten_where_its_recordings_are() -> Result<()> {
    let server = Postgres::start()?;
    let folders = [TempDir::new()?, TempDir::new()?];
    server.create("shared")?;
    let [one, other] = &folders;
    let places = [
        server.place("shared", one.path())?,
        server.place("shared", other.path())?,
    ];
    let mut files = Vec::new();
    for (place, folder, id) in [(&places[0], one, "a-0"), (&places[1], other, "b-0")] {
        let recordings = folder.path().join("recordings");
        std::fs::create_dir_all(&recordings)?;
        let file = recordings.join(format!("{id}.wav"));
        std::fs::write(&file, [0; 9])?;
        run(retention::recorded(place, id, &file))?;
        files.push(file);
    }
    // One of whose recording nothing is left: that is no obstacle.
    let gone = one.path().join("recordings/c-0.wav");
    run(retention::recorded(&places[0], "c-0", &gone))?;

    let project = TempDir::new()?;
    let forget = |folder: &TempDir, further: &[&str]| -> Result<(i32, String)> {
        let data = folder.path().display().to_string();
        let project = project.path().display().to_string();
        let own = ["forget", "+861300000", "-p", &project, "--data", &data];
        let url = server.url("shared");
        let (code, out, errors) = strowger_tests::program::strowger_with(
            &[("STROWGER_STORE_URL", url.as_str())],
            &[&own[..], further].concat(),
        )?;
        Ok((code, out + &errors))
    };
    let named = format!(
        "left: its recordings are in {}",
        other.path().join("recordings").display()
    );
    for (further, removed) in [(&["--dry-run"][..], "would be removed"), (&[], "removed")] {
        let (code, told) = forget(one, further)?;
        assert_eq!(code, 1, "{told}");
        for has in [
            "contact b-0 ",
            &format!("2 contacts from or to the number {removed}"),
            &format!("1 files of recordings {removed}"),
            &named,
        ] {
            assert!(told.contains(has), "no `{has}` in {told}");
        }
    }
    assert!(!files[0].exists() && files[1].exists());
    let left = run(async {
        let store = world::open(&places[0]).await?;
        world::ended(&store).await
    })?;
    assert_eq!(left, [("b-0".to_owned(), Some(5))]);
    let (code, told) = forget(other, &[])?;
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("1 files of recordings removed"), "{told}");
    assert!(!files[1].exists());
    Ok(())
}

#[test]
fn a_server_that_cannot_be_used_is_told_with_what_to_do() -> Result<()> {
    let mut server = Postgres::start()?;
    let folder = TempDir::new()?;
    let told = |place: &Place| -> Result<String> {
        run(async {
            let refused = strowger_server::store::Store::open(place).await;
            Ok(refused.err().context("it is refused")?.to_string())
        })
    };
    let nowhere = server.place("nowhere", folder.path())?;
    let missing = told(&nowhere)?;
    for word in [
        "PostgreSQL database nowhere",
        "as user strowger",
        "does not exist",
        "createdb",
    ] {
        assert!(missing.contains(word), "no `{word}` in {missing}");
    }
    server.stop()?;
    let down = told(&nowhere)?;
    assert!(down.contains("is it running"), "{down}");
    Ok(())
}
