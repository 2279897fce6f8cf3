//! Before an expression is evaluated: all samples that it needs are read, each selector's once.

use std::sync::Arc;

use promql_parser::parser::{Expr, MatrixSelector, VectorSelector};

use super::Error;
use super::evaluate::{Evaluation, LOOKBACK_MS, SUBQUERY_STEP_MS, milliseconds, place_of};
use super::function::unwrapped;
use super::select::{Aspect, Selected, Source, Want, load};

/// So many samples a range should have where not each of them is kept any more.
const SAMPLES_OF_A_RANGE: i64 = 4;

impl Evaluation<'_> {
    /// Reads all that the expression needs between two times of evaluation that are `step` apart.
    pub(super) fn prepare(
        &mut self,
        expr: &Expr,
        (from, to): (i64, i64),
        step: i64,
        source: Source<'_>,
    ) -> Result<(), Error> {
        match expr {
            Expr::VectorSelector(selector) => {
                let want = Want { from, to, grain: step, aspect: Aspect::Last };
                self.load(selector, want, LOOKBACK_MS, source)?;
            }
            Expr::MatrixSelector(matrix) => {
                self.load_matrix(matrix, (from, to), Aspect::Last, source)?;
            }
            Expr::Subquery(subquery) => {
                let offset = subquery.offset.as_ref();
                let from = self.time(offset, subquery.at.as_ref(), from);
                let to = self.time(offset, subquery.at.as_ref(), to);
                let from = from.saturating_sub(milliseconds(subquery.range));
                let step = subquery.step.map_or(SUBQUERY_STEP_MS, milliseconds);
                self.prepare(&subquery.expr, (from, to), step, source)?;
            }
            Expr::Aggregate(aggregate) => {
                if let Some(parameter) = &aggregate.param {
                    self.prepare(parameter, (from, to), step, source)?;
                }
                self.prepare(&aggregate.expr, (from, to), step, source)?;
            }
            Expr::Unary(unary) => self.prepare(&unary.expr, (from, to), step, source)?,
            Expr::Binary(binary) => {
                self.prepare(&binary.lhs, (from, to), step, source)?;
                self.prepare(&binary.rhs, (from, to), step, source)?;
            }
            Expr::Paren(paren) => self.prepare(&paren.expr, (from, to), step, source)?,
            Expr::Call(call) => {
                for argument in &call.args.args {
                    match unwrapped(argument) {
                        Expr::MatrixSelector(matrix) => {
                            let aspect = Aspect::of(call.func.name);
                            self.load_matrix(matrix, (from, to), aspect, source)?;
                        }
                        other => self.prepare(other, (from, to), step, source)?,
                    }
                }
            }
            Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
        }
        Ok(())
    }

    fn load_matrix(
        &mut self,
        matrix: &MatrixSelector,
        (from, to): (i64, i64),
        aspect: Aspect,
        source: Source<'_>,
    ) -> Result<(), Error> {
        let range = milliseconds(matrix.range);
        let want = Want { from, to, grain: range / SAMPLES_OF_A_RANGE, aspect };
        self.load(&matrix.vs, want, range, source)?;
        // In a range the mark of an end is nothing.
        let found = self.selected.get_mut(&place_of(&matrix.vs)).and_then(Arc::get_mut);
        found.into_iter().flatten().for_each(Selected::drop_marks);
        Ok(())
    }

    fn load(
        &mut self,
        selector: &VectorSelector,
        want: Want,
        back: i64,
        source: Source<'_>,
    ) -> Result<(), Error> {
        let from = self.time(selector.offset.as_ref(), selector.at.as_ref(), want.from);
        let to = self.time(selector.offset.as_ref(), selector.at.as_ref(), want.to);
        let want = Want { from: from.saturating_sub(back), to, ..want };
        let (sets, samples) = (&mut self.sets, &mut self.samples);
        let found = load(selector, want, source, self.config, sets, samples, self.expired)?;
        self.selected.insert(place_of(selector), Arc::new(found));
        if (self.expired)() { Err(Error::Timeout) } else { Ok(()) }
    }
}
