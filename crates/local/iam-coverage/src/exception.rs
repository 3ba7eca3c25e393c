use super::grant::{Grant, matches};

/// A permission that the tests do not use.
#[derive(Debug)]
pub struct Exception {
    /// Logical id of the function in the template. May contain wildcards.
    pub function: &'static str,
    /// Action. May contain wildcards.
    pub action: &'static str,
    /// A part of the resource's ARN. Empty for all resources.
    pub resource: &'static str,
    /// Why the function has the permission.
    #[expect(dead_code, reason = "documents the exception")]
    pub reason: &'static str,
}

/// Permissions that the tests use or not, depending on the order of events and the load of the machine.
pub const SOMETIMES_USED: &[Exception] = &[
    Exception {
        function: "ExportWorker",
        action: "s3:AbortMultipartUpload",
        resource: "/zip/",
        reason: "For a copy that begins again, or whose owner is erased meanwhile; tests of the function do both.",
    },
    Exception {
        function: "ExportWorker",
        action: "s3:DeleteObject",
        resource: "exports",
        reason: "Like s3:AbortMultipartUpload.",
    },
    Exception {
        function: "MetadataWriter",
        action: "sqs:ChangeMessageVisibility",
        resource: "",
        reason: "For retries after temporary errors. Tests cause them for pictures and recordings, a busy machine for others, too.",
    },
    Exception {
        function: "PushFanout",
        action: "sqs:ChangeMessageVisibility",
        resource: "",
        reason: "Like MetadataWriter.",
    },
    Exception {
        function: "DeviceApi",
        action: "sqs:ChangeMessageVisibility",
        resource: "",
        reason: "Like MetadataWriter.",
    },
    Exception {
        function: "ExportWorker",
        action: "sqs:ChangeMessageVisibility",
        resource: "",
        reason: "Like MetadataWriter.",
    },
    Exception {
        function: "MediaApi",
        action: "sqs:ChangeMessageVisibility",
        resource: "",
        reason: "Like MetadataWriter.",
    },
    Exception {
        function: "AccountApi",
        action: "sqs:ChangeMessageVisibility",
        resource: "",
        reason: "Like MetadataWriter.",
    },
    Exception {
        function: "SearchIndexer",
        action: "sqs:ChangeMessageVisibility",
        resource: "",
        reason: "Like MetadataWriter.",
    },
    Exception {
        function: "AudioWorker",
        action: "sqs:ChangeMessageVisibility",
        resource: "SlowAudioQueue",
        reason: "Like MetadataWriter; the test of the other lane uses it.",
    },
];

/// All exceptions that the tests never use.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        function: "*",
        action: "sqs:ReceiveMessage",
        resource: "",
        reason: "Lambda reads queues with the function's role; the emulator does not check this.",
    },
    Exception { function: "*", action: "sqs:DeleteMessage", resource: "", reason: "Like sqs:ReceiveMessage." },
    Exception { function: "*", action: "sqs:GetQueueAttributes", resource: "", reason: "Like sqs:ReceiveMessage." },
    Exception {
        function: "*",
        action: "s3:ListBucket",
        resource: "originals",
        reason: "Belongs to no call: with it, S3 reports a missing object with status 404 instead of 403.",
    },
    Exception {
        function: "Operator",
        action: "sqs:ChangeMessageVisibility*",
        resource: "",
        reason: "AWS checks it for ChangeMessageVisibilityBatch. The tests look at the messages of some of the queues.",
    },
    Exception {
        function: "Operator",
        action: "sqs:SendMessage*",
        resource: "",
        reason: "The tests redrive and reprocess messages of some of the queues.",
    },
    Exception { function: "Operator", action: "sns:Publish", resource: "", reason: "Like sqs:SendMessage*." },
    Exception {
        function: "StreamPoller",
        action: "neptune-db:GetStreamRecords",
        resource: "",
        reason: "The Neptune emulator checks signatures, not permissions.",
    },
    Exception {
        function: "GraphExport",
        action: "neptune-db:*",
        resource: "",
        reason: "Like neptune-db:GetStreamRecords.",
    },
    Exception {
        function: "GraphExport",
        action: "sqs:SendMessage",
        resource: "search.fifo",
        reason: "AWS requires it for SendMessageBatch; the emulator checks sqs:SendMessageBatch.",
    },
    Exception {
        function: "StreamPoller",
        action: "sns:Publish",
        resource: "graph-changes.fifo",
        reason: "AWS requires it for PublishBatch; the emulator checks sns:PublishBatch.",
    },
    Exception {
        function: "StreamPoller",
        action: "sqs:SendMessage",
        resource: "graph-changes-dlq.fifo",
        reason: "The tests commit no change that the topic rejects.",
    },
    Exception {
        function: "ExportWorker",
        action: "sqs:SendMessage",
        resource: "-exports.fifo",
        reason: "Continues a copy in another turn; copies of the end-to-end tests take one. A contract test has more.",
    },
    Exception {
        function: "ExportWorker",
        action: "s3:ListBucket",
        resource: "exports",
        reason: "Like s3:ListBucket of originals.",
    },
    Exception {
        function: "ExportWorker",
        action: "s3:GetObject",
        resource: "/zip/",
        reason: "For HeadObject, after a completion whose answer was lost.",
    },
    Exception {
        function: "SearchIndexer",
        action: "dynamodb:Scan",
        resource: "",
        reason: "For a rebuild of the index; it would affect concurrent tests of the search.",
    },
    Exception {
        function: "Search*",
        action: "es:ESHttp*",
        resource: "",
        reason: "The local search server does not check permissions.",
    },
    Exception {
        function: "PlatformApplicationMaker",
        action: "sns:SetPlatformApplicationAttributes",
        resource: "",
        reason: "For a stack update with new credentials.",
    },
    Exception {
        function: "PlatformApplicationMaker",
        action: "iam:PassRole",
        resource: "",
        reason: "SNS checks it when an application gets a role for its logs; the emulator does not.",
    },
    Exception {
        function: "PlatformApplicationMaker",
        action: "sns:DeletePlatformApplication",
        resource: "",
        reason: "For the deletion of the stack.",
    },
];

impl Exception {
    /// Whether the exception applies to `grant`.
    pub fn covers(&self, grant: &Grant) -> bool {
        matches(self.function, &grant.function)
            && matches(self.action, &grant.action)
            && grant.resource.contains(self.resource)
    }
}
