//! A project examined as a whole: its flows against its steps, and what stands beside them.

use strowger_contact::Program;
use strowger_flow::diagnostic::Language;
use strowger_flow::{Checked, Diagnostic, Level};

use super::complaint::Complaint;
use super::finding::Finding;
use super::folder::{FlowFile, Project, ProjectError, leave_echoes_out};
use super::steps::Steps;

/// What an examination found.
pub struct Examined<'p> {
    project: &'p Project,
    /// The flows, each with its findings and, where it has no error, its plan.
    pub checked: Vec<(&'p FlowFile, Checked)>,
    /// What is wrong beside the flows: with plugins, routes, queues, and between the files.
    pub beside: Vec<Finding>,
}

impl<'p> Examined<'p> {
    /// Checks every flow of the project. A plugin that cannot be loaded is told together with the errors of the
    /// flows, which are checked with those that can.
    pub fn of(project: &'p Project, steps: &Steps, complaints: &[Complaint]) -> Examined<'p> {
        let (mut checked, misnamed) = project.survey(&mut project.surroundings(steps));
        for (file, checked) in &mut checked {
            leave_echoes_out(&file.source, &mut checked.diagnostics, complaints);
        }
        let mut beside = project.findings(complaints, &checked, &misnamed);
        // Without a flow there is nothing that a number could lead to.
        beside.extend(project.no_route().filter(|_| !checked.is_empty()));
        beside.extend(project.beyond_the_engine(&steps.descriptions, &checked));
        beside.extend(project.wrong_channel(&steps.descriptions, &checked));
        Examined {
            project,
            checked,
            beside,
        }
    }

    /// All errors as a person reads them, one after the other; none where the project may run.
    pub fn errors(&self) -> Option<String> {
        let beside = self
            .beside
            .iter()
            .filter(|finding| finding.is_error())
            .map(|finding| finding.render(Language::English, false));
        let flows = self
            .checked
            .iter()
            .flat_map(|(file, checked)| errors_of(&checked.diagnostics, &file.source));
        let all: Vec<String> = beside.chain(flows).collect();
        (!all.is_empty()).then(|| all.join("\n"))
    }

    /// The errors, in the order of [`Examined::errors`].
    pub fn faults(&self) -> impl Iterator<Item = &Diagnostic> {
        let beside = self.beside.iter().map(|finding| &finding.diagnostic);
        let flows = self
            .checked
            .iter()
            .flat_map(|(_, checked)| &checked.diagnostics);
        beside
            .chain(flows)
            .filter(|found| found.level == Level::Error)
    }

    /// The program of a project without errors.
    ///
    /// # Errors
    /// Flows that do not fit each other.
    pub fn program(self, steps: &Steps) -> Result<Program, ProjectError> {
        self.project.program(self.checked, steps)
    }
}

/// The errors of one file as a person reads them.
pub fn errors_of(diagnostics: &[Diagnostic], source: &[u8]) -> Vec<String> {
    let source = String::from_utf8_lossy(source);
    diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.level == Level::Error)
        .map(|diagnostic| diagnostic.render(&source, false))
        .collect()
}
