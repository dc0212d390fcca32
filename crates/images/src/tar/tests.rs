//! Archives, good and bad. The library, which shares no code with us, writes the good ones.

use super::*;

fn header(path: &str, kind: ::tar::EntryType, size: u64) -> ::tar::Header {
    let mut header = ::tar::Header::new_gnu();
    header.set_path(path).unwrap();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o4755);
    header.set_uid(1000);
    header.set_gid(2_000_000_000);
    header.set_mtime(1_700_000_000);
    header.set_cksum();
    header
}

fn entries(bytes: &[u8]) -> io::Result<Vec<(Entry, Vec<u8>)>> {
    let mut archive = Archive::new(bytes);
    let mut all = Vec::new();
    while let Some(entry) = archive.next()? {
        let mut data = Vec::new();
        archive.read_to_end(&mut data)?;
        all.push((entry, data));
    }
    Ok(all)
}

fn raw(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut header = header("x", ::tar::EntryType::new(kind), data.len() as u64);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

#[test]
fn plain_entries_are_read() {
    let mut builder = ::tar::Builder::new(Vec::new());
    builder.append(&header("a/b", ::tar::EntryType::Regular, 5), &b"hello"[..]).unwrap();
    builder.append(&header("d/", ::tar::EntryType::Directory, 0), io::empty()).unwrap();
    let mut link = header("l", ::tar::EntryType::Symlink, 0);
    link.set_link_name("../x").unwrap();
    link.set_cksum();
    builder.append(&link, io::empty()).unwrap();
    let mut device = header("dev", ::tar::EntryType::Char, 0);
    device.set_device_major(1).unwrap();
    device.set_device_minor(3).unwrap();
    device.set_cksum();
    builder.append(&device, io::empty()).unwrap();
    let all = entries(&builder.into_inner().unwrap()).unwrap();
    let (file, data) = &all[0];
    assert_eq!((file.path.as_slice(), data.as_slice()), (&b"a/b"[..], &b"hello"[..]));
    assert_eq!(
        (file.kind, file.mode, file.uid, file.gid),
        (Kind::File, 0o4755, 1000, 2_000_000_000)
    );
    assert_eq!(file.mtime, (1_700_000_000, 0));
    assert_eq!(all[1].0.kind, Kind::Directory);
    assert_eq!((all[2].0.kind, all[2].0.link.as_slice()), (Kind::Symlink, &b"../x"[..]));
    assert_eq!((all[3].0.kind, all[3].0.device), (Kind::Character, (1, 3)));
}

#[test]
fn long_names_are_read() {
    let long = format!("{}/end", "d".repeat(200));
    let mut builder = ::tar::Builder::new(Vec::new());
    let mut gnu = header("x", ::tar::EntryType::Regular, 1);
    builder.append_data(&mut gnu, &long, &b"g"[..]).unwrap();
    builder.append_link(&mut header("x", ::tar::EntryType::Link, 0), "l", &long).unwrap();
    let all = entries(&builder.into_inner().unwrap()).unwrap();
    assert_eq!(all[0].0.path, long.as_bytes());
    assert_eq!(all[1].0.link, long.as_bytes());
    assert_eq!(all[0].1, b"g");
}

#[test]
fn pax_records_are_read() {
    let mut builder = ::tar::Builder::new(Vec::new());
    let records: [(&str, &[u8]); 6] = [
        ("path", b"other/name"),
        ("mtime", b"-1.25"),
        ("uid", b"4000000000"),
        ("SCHILY.xattr.user.a", b"1=2\n3"),
        ("size", b"3"),
        ("comment", b"nobody minds"),
    ];
    builder.append_pax_extensions(records).unwrap();
    builder.append(&header("x", ::tar::EntryType::Regular, 3), &b"abc"[..]).unwrap();
    builder.append(&header("y", ::tar::EntryType::Regular, 0), io::empty()).unwrap();
    let all = entries(&builder.into_inner().unwrap()).unwrap();
    let entry = &all[0].0;
    assert_eq!((entry.path.as_slice(), entry.uid), (&b"other/name"[..], 4_000_000_000));
    assert_eq!(entry.mtime, (-2, 750_000_000));
    assert_eq!(entry.xattrs, [(b"user.a".to_vec(), b"1=2\n3".to_vec())]);
    assert_eq!(all[1].0.path, b"y", "records hold for one entry only");
    assert!(all[1].0.xattrs.is_empty());
}

#[test]
fn a_stream_may_end_without_zeros_and_is_drained() {
    assert_eq!(entries(b"").unwrap(), []);
    assert_eq!(entries(&[0; 1024]).unwrap(), []);
    let file = raw(b'0', b"data");
    assert_eq!(entries(&file).unwrap().len(), 1);
    let padded = [&file[..], &[0; 10240][..]].concat();
    let mut archive = Archive::new(padded.as_slice());
    while archive.next().unwrap().is_some() {}
    assert!(archive.finish().unwrap().is_empty());
}

#[test]
fn malformed_archives_are_errors() {
    let file = raw(b'0', b"data");
    let mut flipped = file.clone();
    flipped[0] ^= 1;
    let pax = |text: &str| raw(b'x', text.as_bytes());
    let hostile: [(&str, Vec<u8>); 10] = [
        ("not a tar", vec![b'a'; 512]),
        ("wrong checksum", flipped),
        ("cut in the header", file[..300].to_vec()),
        ("cut in the data", file[..514].to_vec()),
        ("sparse", raw(b'S', b"")),
        ("unknown type", raw(b'Z', b"")),
        ("record without equals", pax("6 abc\n")),
        ("record longer than all", pax("99 a=b\n")),
        ("record of length 0", pax("0 a=b\n")),
        ("zero byte in a path", [pax("12 path=a\0b\n"), file].concat()),
    ];
    for (what, bytes) in hostile {
        assert!(entries(&bytes).is_err(), "{what}");
    }
}

#[test]
fn extensions_are_bounded_in_memory() {
    // The header announces 8 GiB of name; nothing of it is read.
    let huge = header("x", ::tar::EntryType::GNULongName, 8 << 30);
    let error = Archive::new(huge.as_bytes()[..].chain(io::repeat(b'a'))).next();
    assert!(error.unwrap_err().to_string().contains("extension too long"));
    // Nor may many small ones add up.
    let one = raw(b'x', &[b"1000 comment=".as_slice(), &[b'c'; 986], b"\n"].concat());
    let many = one.repeat(1100);
    assert!(entries(&many).unwrap_err().to_string().contains("extension too long"));
}
