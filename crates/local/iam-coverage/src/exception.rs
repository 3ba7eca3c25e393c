use super::grant::{Grant, matches};

/// Something that a role may do and is never seen to do.
#[derive(Debug)]
pub struct Exception {
    /// Whose role, by the function's name in the template; `*` for all.
    pub function: &'static str,
    /// Which action, perhaps with a wildcard.
    pub action: &'static str,
    /// A part of the resource's ARN; empty for all.
    pub resource: &'static str,
    /// UndisplayedReason it is granted all the same.
    #[expect(dead_code, reason = "for who reads this file")]
    pub why: &'static str,
}

/// All of them.
pub const EXCEPTIONS: &[Exception] = &[
    Exception {
        function: "*",
        action: "sqs:ReceiveMessage",
        resource: "",
        why: "Lambda reads queues in the name of their functions; the emulator does not ask for that.",
    },
    Exception { function: "*", action: "sqs:DeleteMessage", resource: "", why: "As for sqs:ReceiveMessage." },
    Exception { function: "*", action: "sqs:GetQueueAttributes", resource: "", why: "As for sqs:ReceiveMessage." },
    Exception {
        function: "*",
        action: "s3:ListBucket",
        resource: "originals",
        why: "No call of its own: S3 says 404 for an object that has gone only to who may list, and 403 to others.",
    },
    Exception {
        function: "StreamPoller",
        action: "neptune-db:GetStreamRecords",
        resource: "",
        why: "What plays Neptune Streams asks for a signature and for no permission.",
    },
    Exception {
        function: "StreamPoller",
        action: "neptune-db:ReadDataViaQuery",
        resource: "",
        why: "As for neptune-db:GetStreamRecords.",
    },
    Exception {
        function: "StreamPoller",
        action: "sqs:SendMessage",
        resource: "search.fifo",
        why: "What AWS asks for when a batch is sent; the emulator asks for sqs:SendMessageBatch.",
    },
    Exception {
        function: "StreamPoller",
        action: "sns:Publish",
        resource: "graph-changes.fifo",
        why: "What AWS asks for when a batch is published; the emulator asks for sns:PublishBatch.",
    },
    Exception {
        function: "StreamPoller",
        action: "sqs:SendMessage",
        resource: "graph-changes-dlq.fifo",
        why: "Nothing that the tests write to the graph is refused by the bus.",
    },
    Exception {
        function: "MetadataWriter",
        action: "sqs:ChangeMessageVisibility",
        resource: "",
        why: "For what fails for now: on the deployed stack only pictures and recordings are made to.",
    },
    Exception {
        function: "PushFanout",
        action: "sqs:ChangeMessageVisibility",
        resource: "",
        why: "As for MetadataWriter.",
    },
    Exception {
        function: "SearchIndexer",
        action: "sqs:ChangeMessageVisibility",
        resource: "",
        why: "As for MetadataWriter.",
    },
    Exception {
        function: "PushFanout",
        action: "sqs:SendMessage",
        resource: "push.fifo",
        why: "For more than 500 followers of one person; only the tests of push-fanout alone have so many.",
    },
    Exception { function: "PushFanout", action: "dynamodb:GetItem", resource: "Ledger", why: "As for push.fifo." },
    Exception {
        function: "SearchIndexer",
        action: "dynamodb:Scan",
        resource: "",
        why: "For an index that is made anew, which is ordered of the function alone: searches beside it would see it.",
    },
    Exception {
        function: "Search*",
        action: "es:ESHttp*",
        resource: "",
        why: "What plays OpenSearch asks for no permission.",
    },
    Exception {
        function: "PlatformApplicationMaker",
        action: "sns:SetPlatformApplicationAttributes",
        resource: "",
        why: "For an update of the stack with other credentials.",
    },
    Exception {
        function: "PlatformApplicationMaker",
        action: "sns:DeletePlatformApplication",
        resource: "",
        why: "For a stack that is deleted.",
    },
];

impl Exception {
    /// Whether it says why this is granted.
    pub fn is_about(&self, grant: &Grant) -> bool {
        matches(self.function, &grant.function)
            && matches(self.action, &grant.action)
            && grant.resource.contains(self.resource)
    }
}
