//! Tests of the whole function with a fake CloudFormation.

mod fake_cloudformation;
mod handler;
