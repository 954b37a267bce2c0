//! Tests for what is built on `durable`.
