//! What compiling a component would take, reckoned while it is validated: nothing can stop the compiler once it has begun.
//!
//! Bytes of code say little. A compiler makes of variables values that are defined once, and may have to remember each of
//! them at each place where ways part or meet; it finds loops, and what is invariant in them. Both grow faster than the
//! code, so both are counted: over a function, and over all functions of a component.

use wasmparser::{
    BinaryReaderError, CompositeInnerType, FuncToValidate, FuncValidatorAllocations, FunctionBody,
    Operator, OperatorsReader, RecGroup, ValidatorResources,
};

use crate::error::LoadError;
use crate::limits::{
    CODE_BYTES, FUNCTION_BYTES, FUNCTION_HELD, FUNCTION_LOOPS, FUNCTION_MOVED, FUNCTIONS_MOST,
    HELD, LARGE_FUNCTION_BYTES, LARGE_FUNCTIONS_BYTES, LOOPS, TYPE_VALUES,
};

/// What is counted, as messages name it.
const BYTES: &str = "bytes of code";
const LARGE: &str = "bytes of code in those of more than 64 KiB";
const VALUES: &str = "variables and operands over all branches";
const MOVED: &str = "values that instructions take and give";
const NESTED: &str = "loops, each counted as often as it is deep in others";

/// What the functions of a component would take the compiler.
#[derive(Default)]
pub(crate) struct Effort {
    /// The module that is read, counted from 1, and its next function.
    module: u32,
    function: u32,
    functions: u32,
    bytes: u64,
    large: u64,
    held: u64,
    moved: u64,
    loops: u64,
    complaints: Vec<LoadError>,
    allocations: FuncValidatorAllocations,
}

/// The same of one function.
#[derive(Debug, Default)]
struct Function {
    held: u64,
    moved: u64,
    loops: u64,
}

impl Effort {
    /// A module begins.
    pub(crate) fn module(&mut self) {
        self.module += 1;
        self.function = 0;
    }

    /// The module imports functions.
    pub(crate) fn imported(&mut self, functions: u32) {
        self.function += functions;
    }

    /// Types of a module.
    pub(crate) fn types(&mut self, group: &RecGroup) {
        for ty in group.types() {
            let CompositeInnerType::Func(function) = &ty.composite_type.inner else {
                continue;
            };
            let values = function.params().len() + function.results().len();
            if values > TYPE_VALUES {
                self.too_much(
                    "parameters and results of one type",
                    values as u64,
                    TYPE_VALUES as u64,
                );
            }
        }
    }

    /// Validates a function and counts what it has.
    pub(crate) fn function(
        &mut self,
        function: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'_>,
    ) -> Result<(), BinaryReaderError> {
        let bytes = body.range().len() as u64;
        let Function { held, moved, loops } = self.validated(function, body)?;
        let (module, number) = (self.module.saturating_sub(1), self.function);
        for (what, count, most) in [
            (BYTES, bytes, FUNCTION_BYTES as u64),
            (VALUES, held, FUNCTION_HELD),
            (MOVED, moved, FUNCTION_MOVED),
            (NESTED, loops, FUNCTION_LOOPS),
        ] {
            if count > most {
                self.complaints.push(LoadError::FunctionTooLarge {
                    module,
                    function: number,
                    what,
                    count,
                    most,
                });
            }
        }
        self.function += 1;
        self.functions += 1;
        self.bytes += bytes;
        self.large += if bytes > LARGE_FUNCTION_BYTES as u64 {
            bytes
        } else {
            0
        };
        self.held = self.held.saturating_add(held);
        self.moved = self.moved.saturating_add(moved);
        self.loops = self.loops.saturating_add(loops);
        Ok(())
    }

    fn validated(
        &mut self,
        function: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'_>,
    ) -> Result<Function, BinaryReaderError> {
        let mut validator = function.into_validator(std::mem::take(&mut self.allocations));
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        let variables = u64::from(validator.len_locals());
        // Where it begins, they are all there.
        let mut counted = Function {
            held: variables,
            ..Function::default()
        };
        // Whether each block that is open is a loop, and how many of them are.
        let (mut open, mut deep) = (Vec::new(), 0_u64);
        let mut operators = OperatorsReader::new(reader);
        while !operators.eof() {
            let at = operators.original_position();
            let operator = operators.read()?;
            let ways = match &operator {
                Operator::Loop { .. } => {
                    open.push(true);
                    deep += 1;
                    counted.loops += deep;
                    // Its head, and the look at the clock that each round takes.
                    2
                }
                Operator::Block { .. } | Operator::If { .. } => {
                    open.push(false);
                    1
                }
                Operator::End => {
                    deep -= u64::from(open.pop() == Some(true));
                    0
                }
                Operator::Else | Operator::BrIf { .. } => 1,
                Operator::BrTable { targets } => u64::from(targets.len()) + 1,
                // A function that a table has is looked up at its first use.
                Operator::CallIndirect { .. }
                | Operator::ReturnCallIndirect { .. }
                | Operator::TableGet { .. } => 1,
                _ => 0,
            };
            let arity = operator.operator_arity(&validator);
            let moved = arity.map_or(0, |(takes, gives)| u64::from(takes) + u64::from(gives));
            counted.moved = counted
                .moved
                .saturating_add(moved.saturating_mul(ways.max(1)));
            validator.op(at, &operator)?;
            let operands = u64::from(validator.operand_stack_height());
            let held = ways.saturating_mul(variables + operands);
            counted.held = counted.held.saturating_add(held);
        }
        operators.finish()?;
        self.allocations = validator.into_allocations();
        Ok(counted)
    }

    fn too_much(&mut self, what: &'static str, count: u64, most: u64) {
        self.complaints
            .push(LoadError::CodeTooLarge { what, count, most });
    }

    /// What of it is too much.
    pub(crate) fn complaints(mut self) -> Vec<LoadError> {
        for (what, count, most) in [
            (
                "functions",
                u64::from(self.functions),
                u64::from(FUNCTIONS_MOST),
            ),
            (BYTES, self.bytes, CODE_BYTES as u64),
            (LARGE, self.large, LARGE_FUNCTIONS_BYTES as u64),
            (VALUES, self.held, HELD),
            (MOVED, self.moved, crate::limits::MOVED),
            (NESTED, self.loops, LOOPS),
        ] {
            if count > most {
                self.too_much(what, count, most);
            }
        }
        self.complaints
    }
}
