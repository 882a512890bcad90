//! `POST /images/generations`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crc::{CRC_32_ISO_HDLC, Crc};
use serde_json::{Value, json};

use super::sse::Events;
use super::{Body, ReplyContext, filter, pretty};

/// Maximum number of images per request.
const MOST_IMAGES: u64 = 10;

/// Maximum number of partial images in a stream.
const MOST_PARTIAL_IMAGES: u64 = 3;

/// Tokens reported per image, whatever its size.
const OUTPUT_TOKENS: usize = 16;

/// One black pixel as zlib data: the zlib header, an uncompressed block with the filter byte and
/// the pixel, and the checksum.
const PIXEL: [u8; 13] =
    [0x78, 0x01, 0x01, 0x02, 0x00, 0xfd, 0xff, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01];

pub(super) fn body(context: &ReplyContext<'_>) -> Body {
    let is_gpt = context.deployment.model.starts_with("gpt-image");
    if is_gpt && context.is_streamed() {
        return stream(context).into();
    }
    let count = context.members.get::<u64>("n").unwrap_or(1).clamp(1, MOST_IMAGES);
    let images: Vec<_> = (0..count).map(|index| image(context, is_gpt, index)).collect();
    let mut answer = json!({ "created": context.created(), "data": images });
    if is_gpt {
        let settings = settings(context);
        for name in ["background", "output_format", "quality", "size"] {
            answer[name] = settings[name].clone();
        }
        answer["usage"] = usage(context);
    }
    Body::json(pretty(&answer, "\n"))
}

/// One entry in `data`. By default, newer models return the image itself, and older models return a
/// link.
fn image(context: &ReplyContext<'_>, is_gpt: bool, index: u64) -> Value {
    let wants_itself =
        context.members.get::<String>("response_format").as_deref() == Some("b64_json");
    let mut image = json!({});
    if context.is_azure() && !is_gpt {
        image["content_filter_results"] = filter::answer();
        image["prompt_filter_results"] = filter::answer();
    }
    if context.deployment.model == "dall-e-3" {
        image["revised_prompt"] = json!(context.sentence(index));
    }
    if is_gpt || wants_itself {
        image["b64_json"] = json!(encoded(context));
    } else {
        let (token, name) = (context.marker.token(), context.digits(&format!("image {index}"), 24));
        image["url"] = json!(format!("https://images.fallproof.invalid/{token}/img-{name}.png"));
    }
    image
}

fn stream(context: &ReplyContext<'_>) -> Events {
    let mut events = Events::default();
    let partial =
        context.members.get::<u64>("partial_images").unwrap_or(0).min(MOST_PARTIAL_IMAGES);
    for index in 0..partial {
        let mut event = event(context, "image_generation.partial_image");
        event["partial_image_index"] = json!(index);
        events.named("image_generation.partial_image", &event);
    }
    let mut event = event(context, "image_generation.completed");
    event["usage"] = usage(context);
    events.named("image_generation.completed", &event);
    events
}

fn event(context: &ReplyContext<'_>, kind: &str) -> Value {
    let mut event = json!({ "type": kind, "b64_json": encoded(context) });
    event["created_at"] = json!(context.created());
    for (name, value) in settings(context).as_object().into_iter().flatten() {
        event[name] = value.clone();
    }
    event
}

/// The settings of the image: the requested ones, or a default if a setting is absent or `auto`.
fn settings(context: &ReplyContext<'_>) -> Value {
    let chosen = |name: &str, default: &str| {
        let requested: Option<String> = context.members.get(name);
        requested.filter(|requested| requested != "auto").unwrap_or_else(|| default.to_owned())
    };
    json!({
        "background": chosen("background", "opaque"),
        "output_format": chosen("output_format", "png"),
        "quality": chosen("quality", "low"),
        "size": chosen("size", "1024x1024")
    })
}

fn usage(context: &ReplyContext<'_>) -> Value {
    let input = context.members.tokens("prompt");
    json!({
        "input_tokens": input,
        "input_tokens_details": { "image_tokens": 0, "text_tokens": input },
        "output_tokens": OUTPUT_TOKENS,
        "total_tokens": input + OUTPUT_TOKENS
    })
}

fn encoded(context: &ReplyContext<'_>) -> String {
    STANDARD.encode(png(context.marker.token()))
}

/// A PNG with one black pixel and with this author in its metadata.
fn png(author: &str) -> Vec<u8> {
    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    // One by one pixel, 8-bit grayscale.
    chunk(&mut image, *b"IHDR", &[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
    chunk(&mut image, *b"tEXt", &[b"Author\0", author.as_bytes()].concat());
    chunk(&mut image, *b"IDAT", &PIXEL);
    chunk(&mut image, *b"IEND", b"");
    image
}

fn chunk(image: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    let length = u32::try_from(data.len()).expect("the length fits into 32 bits");
    let named = [&kind, data].concat();
    image.extend(length.to_be_bytes());
    image.extend(&named);
    image.extend(Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(&named).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_consists_of_chunks_with_valid_checksums() {
        let image = png("fp-0123456789abcdef");
        let mut rest = image.strip_prefix(b"\x89PNG\r\n\x1a\n").expect("a PNG");
        let mut kinds = Vec::new();
        while let [a, b, c, d, after @ ..] = rest {
            let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
            let (named, after) = after.split_at(4 + length);
            kinds.push(String::from_utf8_lossy(&named[..4]).into_owned());
            let sum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(named);
            assert_eq!(after[..4], sum.to_be_bytes());
            rest = &after[4..];
        }
        assert_eq!(kinds, ["IHDR", "tEXt", "IDAT", "IEND"]);
        // The IEND checksum is the same in every PNG.
        assert!(image.ends_with(b"\0\0\0\0IEND\xae\x42\x60\x82"));
    }
}
