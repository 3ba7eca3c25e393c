use utoipa::ToSchema;

use super::operation::{Answer, Operation};
use crate::{Device, DeviceList, DeviceRegistration, NotificationPreferences};

const TAG: &str = "devices";

/// The operations on devices and preferences.
pub fn operations() -> Vec<Operation> {
    vec![list(), get(), put(), delete(), get_preferences(), put_preferences()]
}

fn list() -> Operation {
    Operation {
        method: "get",
        path: "/v1/devices",
        id: "listDevices",
        tag: TAG,
        summary: "List one's own devices",
        description: "All on which the caller is signed in and is told what concerns them, 20 at most.",
        parameters: &[],
        body: None,
        answers: vec![answer("The devices.", DeviceList::name().into())],
        problems: &[400],
        is_open: false,
    }
}

fn get() -> Operation {
    Operation {
        method: "get",
        path: "/v1/devices/{id}",
        id: "getDevice",
        tag: TAG,
        summary: "Get one of one's own devices",
        description: "404 also says that the caller was signed out there: by an account that signed in on the phone \
            later, or because FCM no longer knows the app.",
        parameters: &["DeviceId"],
        body: None,
        answers: vec![answer("The device.", Device::name().into())],
        problems: &[400, 404],
        is_open: false,
    }
}

fn put() -> Operation {
    Operation {
        method: "put",
        path: "/v1/devices/{id}",
        id: "registerDevice",
        tag: TAG,
        summary: "Register a device",
        description: "From now on this phone is told what concerns the caller, and nobody else. To be sent after each \
            sign-in, and whenever FCM gives the app another token. The body has at most 16 KiB.",
        parameters: &["DeviceId"],
        body: Some(DeviceRegistration::name().into()),
        answers: vec![answer("The device, registered.", Device::name().into())],
        problems: &[400, 413],
        is_open: false,
    }
}

fn delete() -> Operation {
    Operation {
        method: "delete",
        path: "/v1/devices/{id}",
        id: "removeDevice",
        tag: TAG,
        summary: "Remove a device",
        description: "The phone is told nothing any more. To be sent before signing out. May be repeated.",
        parameters: &["DeviceId"],
        body: None,
        answers: vec![Answer::no_content("The device is not registered.")],
        problems: &[400],
        is_open: false,
    }
}

fn get_preferences() -> Operation {
    Operation {
        method: "get",
        path: "/v1/notification-preferences",
        id: "getNotificationPreferences",
        tag: "notifications",
        summary: "Get what the caller wants to be told of",
        description: "Whoever has chosen nothing is told of everything.",
        parameters: &[],
        body: None,
        answers: vec![answer("The preferences.", NotificationPreferences::name().into())],
        problems: &[400],
        is_open: false,
    }
}

fn put_preferences() -> Operation {
    Operation {
        method: "put",
        path: "/v1/notification-preferences",
        id: "setNotificationPreferences",
        tag: "notifications",
        summary: "Set what the caller wants to be told of",
        description: "Replaces all that was chosen before, on all devices. The body has at most 16 KiB.",
        parameters: &[],
        body: Some(NotificationPreferences::name().into()),
        answers: vec![answer("The preferences, as they now are.", NotificationPreferences::name().into())],
        problems: &[400, 413],
        is_open: false,
    }
}

fn answer(description: &'static str, schema: String) -> Answer {
    Answer { status: 200, description, schema: Some(schema), headers: &["Cache-Control"] }
}
