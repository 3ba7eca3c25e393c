use utoipa::ToSchema;

use super::operation::{Operation, Response};
use crate::{Device, DeviceList, DeviceRegistration, NotificationPreferences};

/// Operations on devices and notification preferences.
pub fn operations() -> Vec<Operation> {
    vec![
        Operation {
            route: "GET /v1/devices",
            id: "listDevices",
            tag: "devices",
            summary: "List the caller's devices",
            description: "Returns the devices on which the caller is signed in and receives notifications, at most 20.",
            responses: vec![Response::uncached(200, "The devices.", DeviceList::name().into())],
            problems: &[400],
            ..Operation::default()
        },
        Operation {
            route: "GET /v1/devices/{id}",
            id: "getDevice",
            tag: "devices",
            summary: "Get one of the caller's devices",
            description: "Returns 404 also if the device was removed: another account signed in on the phone, or FCM \
                invalidated the token.",
            parameters: &["DeviceId"],
            responses: vec![Response::uncached(200, "The device.", Device::name().into())],
            problems: &[400, 404],
            ..Operation::default()
        },
        Operation {
            route: "PUT /v1/devices/{id}",
            id: "registerDevice",
            tag: "devices",
            summary: "Register a device",
            description: "The phone receives notifications for the caller, and for no other account. Send this request \
                after each sign-in, and when FCM gives the app another token. The body must have at most 16 KiB.",
            parameters: &["DeviceId"],
            body: Some(DeviceRegistration::name().into()),
            responses: vec![Response::uncached(200, "The registered device.", Device::name().into())],
            problems: &[400, 413],
            ..Operation::default()
        },
        Operation {
            route: "DELETE /v1/devices/{id}",
            id: "removeDevice",
            tag: "devices",
            summary: "Remove a device",
            description: "The phone receives no more notifications. Send this request before signing out. It may be \
                repeated.",
            parameters: &["DeviceId"],
            responses: vec![Response::no_content("The device is not registered.")],
            problems: &[400],
            ..Operation::default()
        },
        Operation {
            route: "GET /v1/notification-preferences",
            id: "getNotificationPreferences",
            tag: "notifications",
            summary: "Get the caller's notification preferences",
            description: "Returns the defaults if the caller has set none: all notifications, with sound, names \
                and titles.",
            responses: vec![Response::uncached(200, "The preferences.", NotificationPreferences::name().into())],
            problems: &[400],
            ..Operation::default()
        },
        Operation {
            route: "PUT /v1/notification-preferences",
            id: "setNotificationPreferences",
            tag: "notifications",
            summary: "Set the caller's notification preferences",
            description: "Replaces all preferences, for all devices. The body must have at most 16 KiB.",
            body: Some(NotificationPreferences::name().into()),
            responses: vec![Response::uncached(200, "The new preferences.", NotificationPreferences::name().into())],
            problems: &[400, 413],
            ..Operation::default()
        },
    ]
}
