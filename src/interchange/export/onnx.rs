//! `onnx`: a graph that takes `images` (float32, N x 1 x 28 x 28, from 0 to 1) and gives `logits` and
//! `probabilities` (N x 10); several networks become one, the mean of their probabilities.
//!
//! Written with ONNX's own protobuf schema, opset 17, which ONNX Runtime has read since 1.12.

mod fold;
mod schema;

use std::path::Path;

use prost::Message;

use super::{Export, ExportError, Trained};
use crate::dataset::{CLASSES, SIDE};
use crate::files::write_atomically;
use crate::network::{NamedTensor, OnnxAttribute, OnnxForm, OnnxNode};
use schema::attribute_proto::AttributeType;
use schema::tensor_proto::DataType;
use schema::tensor_shape_proto::{Dimension, dimension};
use schema::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};

/// The version of the operators, and of the file's format that came with it.
const OPSET: i64 = 17;
const IR_VERSION: i64 = 8;

const IMAGES: &str = "images";
const LOGITS: &str = "logits";
const PROBABILITIES: &str = "probabilities";

/// Writes the networks of `export` to the file `output`.
pub fn write(export: &Export, output: &Path) -> Result<(), ExportError> {
    Ok(write_atomically(output, &model(export).encode_to_vec())?)
}

fn model(export: &Export) -> ModelProto {
    let (nodes, constants) = graph(export);
    let networks = &export.networks;
    let names = networks.iter().map(|n| n.checkpoint.recipe.name.as_str());
    let names = names.collect::<Vec<_>>().join("+");
    let image = [1, SIDE, SIDE];
    let graph = GraphProto {
        name: Some(names),
        node: nodes.into_iter().map(node).collect(),
        initializer: constants.into_iter().map(constant).collect(),
        input: vec![value(IMAGES, &image)],
        output: vec![value(LOGITS, &[CLASSES]), value(PROBABILITIES, &[CLASSES])],
        ..GraphProto::default()
    };
    ModelProto {
        ir_version: Some(IR_VERSION),
        opset_import: vec![OperatorSetIdProto {
            domain: None,
            version: Some(OPSET),
        }],
        producer_name: Some("mnistctl".into()),
        producer_version: Some(env!("CARGO_PKG_VERSION").into()),
        doc_string: Some(
            "Reads handwritten digits: images from 0 (black) to 1 (white), white ink on black."
                .into(),
        ),
        graph: Some(graph),
        metadata_props: metadata(networks),
        ..ModelProto::default()
    }
}

/// What each network says of itself; where there are several, its number begins the keys.
fn metadata(networks: &[Trained]) -> Vec<StringStringEntryProto> {
    let mut all = Vec::new();
    for (number, network) in networks.iter().enumerate() {
        let prefix = prefix(networks, number);
        for (key, value) in network.metadata() {
            all.push(StringStringEntryProto {
                key: Some(format!("{prefix}{key}")),
                value: Some(value),
            });
        }
    }
    all
}

/// What begins the names of a network's parts.
fn prefix(networks: &[Trained], number: usize) -> String {
    match networks {
        [_] => String::new(),
        _ => format!("{number}/"),
    }
}

/// The operations in the order in which they run, and all numbers that they take.
fn graph(export: &Export) -> (Vec<OnnxNode>, Vec<NamedTensor>) {
    let (mut nodes, mut constants) = (Vec::new(), Vec::new());
    let mut all_logits = Vec::new();
    for (number, network) in export.networks.iter().enumerate() {
        let state = network.state();
        let mut form = OnnxForm::new(&prefix(&export.networks, number), &state);
        let normalize = network.checkpoint.recipe.data.normalize;
        let mean = form.number("mean", normalize.mean as f32);
        let std = form.number("std", normalize.std as f32);
        let centred = form.node("Sub", [IMAGES.to_string(), mean], Vec::new());
        let normalized = form.node("Div", [centred, std], Vec::new());
        all_logits.push(form.logits(&network.plan, normalized));
        if export.fold {
            fold::fold(&mut form.nodes, &mut form.constants);
        }
        nodes.append(&mut form.nodes);
        constants.append(&mut form.constants);
    }
    let mut outputs = OnnxForm::new("", &[]);
    match &all_logits[..] {
        [logits] => {
            outputs.named_node("Identity", [logits.clone()], Vec::new(), LOGITS);
            softmax(&mut outputs, logits, PROBABILITIES);
        }
        several => {
            let each = several.iter().enumerate().map(|(number, logits)| {
                let name = format!("{number}/{PROBABILITIES}");
                softmax(&mut outputs, logits, &name);
                name
            });
            let each: Vec<String> = each.collect();
            outputs.named_node("Mean", each, Vec::new(), PROBABILITIES);
            // Numbers whose softmax are the probabilities; one that has underflowed is not 0.
            let least = outputs.number("least", f32::MIN_POSITIVE);
            let above = outputs.node("Max", [PROBABILITIES.to_string(), least], Vec::new());
            outputs.named_node("Log", [above], Vec::new(), LOGITS);
        }
    }
    nodes.append(&mut outputs.nodes);
    constants.append(&mut outputs.constants);
    (nodes, constants)
}

fn softmax(form: &mut OnnxForm<'_>, logits: &str, name: &str) {
    let axis = vec![("axis", OnnxAttribute::Int(1))];
    form.named_node("Softmax", [logits.to_string()], axis, name);
}

fn node(node: OnnxNode) -> NodeProto {
    let attributes = node.attributes.into_iter();
    NodeProto {
        input: node.inputs,
        name: Some(node.output.clone()),
        output: vec![node.output],
        op_type: Some(node.operator.to_string()),
        attribute: attributes.map(attribute).collect(),
        ..NodeProto::default()
    }
}

fn attribute((name, value): (&'static str, OnnxAttribute)) -> AttributeProto {
    let mut proto = AttributeProto {
        name: Some(name.to_string()),
        ..AttributeProto::default()
    };
    match value {
        OnnxAttribute::Int(int) => {
            proto.set_type(AttributeType::Int);
            proto.i = Some(int);
        }
        OnnxAttribute::Ints(ints) => {
            proto.set_type(AttributeType::Ints);
            proto.ints = ints;
        }
        OnnxAttribute::Float(float) => {
            proto.set_type(AttributeType::Float);
            proto.f = Some(float);
        }
    }
    proto
}

fn constant(tensor: NamedTensor) -> TensorProto {
    let values = tensor.values.iter();
    TensorProto {
        name: Some(tensor.name),
        dims: tensor.shape.iter().map(|&side| side as i64).collect(),
        data_type: Some(DataType::Float.into()),
        raw_data: Some(values.flat_map(|value| value.to_le_bytes()).collect()),
        ..TensorProto::default()
    }
}

/// An input or output: any number N of images, each of this shape.
fn value(name: &str, shape: &[usize]) -> ValueInfoProto {
    let dimension = |value| Dimension {
        value: Some(value),
        ..Dimension::default()
    };
    let batch = dimension(dimension::Value::DimParam("N".into()));
    let sides = shape
        .iter()
        .map(|&side| dimension(dimension::Value::DimValue(side as i64)));
    let tensor = type_proto::Tensor {
        elem_type: Some(DataType::Float.into()),
        shape: Some(TensorShapeProto {
            dim: [batch].into_iter().chain(sides).collect(),
        }),
    };
    ValueInfoProto {
        name: Some(name.to_string()),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}
