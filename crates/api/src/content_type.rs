use domain::{media::Kind, upload::content_types};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Type, schema::Schema},
};

/// Schema of accepted content types.
pub(crate) struct ContentType;

impl PartialSchema for ContentType {
    fn schema() -> RefOr<Schema> {
        let mut types: Vec<_> = Kind::ALL.into_iter().flat_map(content_types).copied().collect();
        // `avatar` and `photo` accept the same types.
        types.sort_unstable();
        types.dedup();
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "Content type of a file: pictures for `avatar` and `photo`, sound for `audio`. In lower case, without \
                 parameters.",
            ))
            .enum_values(Some(types))
            .into()
    }
}

impl ToSchema for ContentType {}
