//! Reports that come on the stack's bus, as `Postrider Job`: what a report holds, with `tenant_id` and `job_id`.
//!
//! Whoever put it there is not waiting for an answer, so what is wrong is set aside, with the reason, where an operator
//! sees it. An error of ours goes back to Lambda, which tries again.

use lambda_runtime::Error;
use postrider_api::trigger::BusEvent;
use postrider_api::{ApiError, Fields};
use postrider_domain::detail_type::DetailType;
use postrider_domain::id::JobId;
use postrider_domain::invalid::Invalid;

use crate::handler::Jobs;
use crate::report;

impl Jobs {
    /// Takes a report from the bus.
    ///
    /// # Errors
    /// When we failed.
    pub(crate) async fn hear(&self, event: &BusEvent) -> Result<(), Error> {
        match self.take_report(event).await {
            Ok(()) => Ok(()),
            Err(error) => match error.cause() {
                Some(cause) => Err(cause.to_owned().into()),
                None => Ok(self.triggers.put(&event.refused(&error)).await?),
            },
        }
    }

    async fn take_report(&self, event: &BusEvent) -> Result<(), ApiError> {
        if event.detail_type != DetailType::Job.as_str() {
            return Err(Invalid::new("detail-type", format!("`{}`", DetailType::Job.as_str())).into());
        }
        let mut fields = Fields::read(event.detail.get().as_bytes())?;
        let tenant_id: String = fields.require("tenant_id", "the job's tenant")?;
        let job_id: String = fields.require("job_id", "a job id")?;
        let job_id: JobId = job_id.parse().map_err(|_| Invalid::new("job_id", "a job id"))?;
        let job = self.jobs.get(&job_id).await?.filter(|job| job.tenant_id.as_str() == tenant_id);
        let job = job.ok_or_else(|| ApiError::not_found("job"))?;
        let kind = job.dialect.jobs.ok_or_else(|| ApiError::not_found("job"))?;
        let report = report::read(fields, kind)?;
        self.reporter.report(job, &report).await.map(|_| ())
    }
}
